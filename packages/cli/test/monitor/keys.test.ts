import { describe, expect, it } from "vitest";
import { KeyReader } from "../../src/monitor/keys.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("keys of a terminal", () => {
  it("have names, or are the character that they type", () => {
    expect(new KeyReader().read(bytes("qC?/ é日"))).toEqual(["q", "C", "?", "/", " ", "é", "日"]);
    expect(new KeyReader().read(bytes("\r\n\t\b\u007f"))).toEqual([
      "enter",
      "enter",
      "tab",
      "backspace",
      "backspace",
    ]);
    expect(new KeyReader().read(bytes("\u0003\u000c\u001a"))).toEqual(["ctrl-c", "ctrl-l", "ctrl-z"]);
  });

  it("are known by each of the sequences that terminals send for them", () => {
    const sent: Readonly<Record<string, readonly string[]>> = {
      up: ["\u001b[A", "\u001bOA", "\u001b[1;5A"],
      down: ["\u001b[B", "\u001bOB"],
      right: ["\u001b[C", "\u001bOC"],
      left: ["\u001b[D", "\u001bOD"],
      home: ["\u001b[H", "\u001bOH", "\u001b[1~", "\u001b[7~"],
      end: ["\u001b[F", "\u001bOF", "\u001b[4~", "\u001b[8~"],
      pageup: ["\u001b[5~", "\u001b[5;2~"],
      pagedown: ["\u001b[6~"],
      backtab: ["\u001b[Z"],
      delete: ["\u001b[3~"],
    };
    for (const [key, sequences] of Object.entries(sent)) {
      for (const sequence of sequences)
        expect([sequence, ...new KeyReader().read(bytes(sequence))]).toEqual([sequence, key]);
    }
  });

  it("are put together again when they arrive in pieces", () => {
    for (const text of ["\u001b[A\u001b[6~q", "é日\u001bOB"]) {
      const reader = new KeyReader();
      const keys = [...bytes(text)].flatMap((byte) => reader.read(Uint8Array.of(byte)));
      expect(keys).toEqual(new KeyReader().read(bytes(text)));
      expect(reader.waits).toBe(false);
    }
  });

  it("tell Escape from the beginning of a sequence only after a while", () => {
    const reader = new KeyReader();
    expect(reader.read(bytes("\u001b"))).toEqual([]);
    expect(reader.waits).toBe(true);
    expect(reader.flush()).toEqual(["escape"]);
    expect(reader.waits).toBe(false);
  });

  it("tell Escape at once when what follows cannot belong to it", () => {
    expect(new KeyReader().read(bytes("\u001bq"))).toEqual(["escape", "q"]);
  });

  it("leave out sequences that nobody knows", () => {
    expect(new KeyReader().read(bytes("\u001b[I\u001b[200~a\u001b[?62;22c"))).toEqual(["a"]);
  });
});
