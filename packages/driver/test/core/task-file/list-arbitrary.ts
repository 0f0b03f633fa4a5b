import * as fc from "fast-check";

const blank = fc.constantFrom(" ", " ", " ", "", "  ", "\t", "\v", "\f", " \t");
const anyCase = (word: string): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.constant(word) },
    { weight: 1, arbitrary: fc.mixedCase(fc.constant(word.toLowerCase())) },
  );
const joined = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((all) => all.join(""));
const count = fc.constantFrom("0", "1", "2", "3", "007", "-1", "x", "2x", "", "9007199254740993");
const setting = joined(blank, fc.oneof(anyCase("START"), anyCase("STEP")), blank, count);
const text = fc.constantFrom(
  "",
  "a",
  " b ",
  "x y\t",
  "start 1",
  "step",
  "\xff",
  "\xe9\x85",
  "k1",
  "\t",
  "  ",
);

const repeat = joined(
  anyCase("REPEAT"),
  blank,
  count,
  fc.array(setting, { maxLength: 2 }).map((all) => all.join("")),
  blank,
  text,
);
const barrier = joined(
  fc.oneof(fc.constant("BARRIER"), anyCase("BARRIER")),
  blank,
  fc.oneof(fc.constant(""), anyCase("CHECK")),
  blank,
  text,
);
const setText = joined(fc.oneof(anyCase("PREFIX"), anyCase("SUFFIX")), blank, text);
const perEngine = joined(
  anyCase("PERENGINE"),
  blank,
  fc.oneof(anyCase("START"), anyCase("STOP")),
  blank,
  text,
);

const duration = fc.constantFrom("1", "0", "1.5h", "2D", "1w", "");
const rule = fc.oneof(
  joined(
    anyCase("RETRIES"),
    blank,
    count,
    blank,
    fc.oneof(fc.constant(""), anyCase("DELAY")),
    blank,
    duration,
  ),
  joined(anyCase("TIMEOUT"), blank, fc.oneof(duration, anyCase("NONE")), blank),
);

/** What may follow `#DISBATCH `, mostly nearly right. */
export const directiveRest = fc.oneof(repeat, repeat, barrier, setText, rule, perEngine, text);

const line = fc.oneof(
  { weight: 6, arbitrary: directiveRest.map((rest) => `#DISBATCH ${rest}`) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "#DISBATCH",
      "#DISBATCHX y",
      "#DISBATCH\tBARRIER",
      " #DISBATCH BARRIER",
      "#disbatch x",
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom("", " ", "\t\v", "# c", "  # c", "\f#", "\x85", "\xa0") },
  { weight: 3, arbitrary: fc.constantFrom("true", " echo b ", "x#y", "\xff\xfe", "a\0b", "a\x0bc") },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  },
);
const lineEnd = fc.constantFrom("\n", "\n", "\n", "\r\n", "\r", "\n\n", "\r\r\n", "\n\r");

/** Any task file: much of it nearly what disBatch understands. */
export const anyList: fc.Arbitrary<Buffer> = fc
  .tuple(fc.array(joined(line, lineEnd), { maxLength: 10 }), fc.oneof(fc.constant(""), line))
  .map(([lines, last]) => Buffer.from(lines.join("") + last, "latin1"));

/** The same bytes in pieces. */
export function inChunks(list: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [
    0,
    ...cuts.map((cut) => cut % (list.length + 1)).toSorted((one, other) => one - other),
    list.length,
  ];
  return places.slice(1).map((place, index) => list.subarray(places[index], place));
}

export const anyCuts = fc.array(fc.nat(), { maxLength: 12 });
