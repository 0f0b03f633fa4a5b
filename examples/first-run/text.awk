# A megabyte of text for the compressors: syllables by a small generator of our own, the same on every machine.
BEGIN {
  split("ta ke no ri su mo la ven dor is qua the be lum er sha", syllable, " ")
  seed = 42
  for (line = 0; line < 24000; line++) {
    text = ""
    for (word = 0; word < 9; word++) {
      for (parts = 1 + next_number() % 3; parts > 0; parts--) text = text syllable[1 + next_number() % 16]
      text = text (word < 8 ? " " : ".")
    }
    print text
  }
}

function next_number() {
  seed = (seed * 1103 + 12345) % 1000003
  return int(seed / 7)
}
