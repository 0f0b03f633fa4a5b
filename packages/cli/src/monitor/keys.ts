/** What a key is called: a single character is that character, all others have a name. */
export type Key = string;

const sequences: Readonly<Record<string, Key>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  H: "home",
  F: "end",
  Z: "backtab",
  "1~": "home",
  "2~": "insert",
  "3~": "delete",
  "4~": "end",
  "5~": "pageup",
  "6~": "pagedown",
  "7~": "home",
  "8~": "end",
};

const controls: Readonly<Record<string, Key>> = {
  "\r": "enter",
  "\n": "enter",
  "\t": "tab",
  "\b": "backspace",
  "\u007f": "backspace",
};

/**
 * Turns the bytes of a terminal into names of keys. What may be the beginning of a longer sequence waits for the rest; after a
 * short while without any, `flush` says that it was the Escape key.
 */
export class KeyReader {
  readonly #decoder = new TextDecoder();
  #rest = "";

  /** True: there is something that `flush` would turn into keys. */
  get waits(): boolean {
    return this.#rest !== "";
  }

  read(bytes: Uint8Array): readonly Key[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    return this.#take(false);
  }

  flush(): readonly Key[] {
    return this.#take(true);
  }

  #take(all: boolean): readonly Key[] {
    const keys: Key[] = [];
    while (this.#rest !== "") {
      const length = this.#one(keys, all);
      if (length === 0) break;
      this.#rest = this.#rest.slice(length);
    }
    return keys;
  }

  /** Adds the key that stands first, if any; answers how many characters it took; 0: not all of it is there yet. */
  #one(keys: Key[], all: boolean): number {
    const rest = this.#rest;
    const [first] = rest;
    if (first === undefined) return 0;
    if (first !== "\u001b") {
      const key = controls[first] ?? controlKey(first);
      keys.push(key);
      return first.length;
    }
    const sequence = wholeSequence.exec(rest);
    if (sequence !== null) {
      // Modifiers (`1;5A`) do not matter: Ctrl-Up moves up as well.
      const name = `${(sequence[1] ?? "").replace(/;\d*$/, "")}${sequence[2] ?? ""}`;
      const key = sequences[name] ?? sequences[sequence[2] ?? ""];
      if (key !== undefined) keys.push(key);
      return sequence[0].length;
    }
    if (!all && (rest.length === 1 || begunSequence.test(rest))) return 0;
    keys.push("escape");
    return 1;
  }
}

// oxlint-disable-next-line no-control-regex -- it begins with one
const wholeSequence = /^\u001b[[O]([\d;?<>]*)([~A-Za-z])/;
// oxlint-disable-next-line no-control-regex -- it begins with one
const begunSequence = /^\u001b[[O][\d;?<>]*$/;

function controlKey(character: string): Key {
  const code = character.codePointAt(0) ?? 0;
  return code >= 0x20 ? character : `ctrl-${String.fromCodePoint(code + 0x60)}`;
}
