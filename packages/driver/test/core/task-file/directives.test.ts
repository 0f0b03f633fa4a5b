import { describe, expect, it } from "vitest";
import { briefly, latin1, messageOf, readItems } from "./read-items.js";

describe("BARRIER", () => {
  it.each([
    ["BARRIER", "barrier", null],
    ["BARRIERfoo", "barrier", null],
    ["BARRIERfoo bar", "barrier", null],
    ["BARRIER\tk", "barrier", null],
    ["BARRIER CHECK", "check", null],
    ["BARRIER CHECKfoo", "check", null],
    ["BARRIER CHECKfoo bar", "check", null],
    ["BARRIER k1", "barrier", "k1"],
    ["BARRIER check", "barrier", "check"],
    ["BARRIER k a b", "barrier", "k a b"],
    ["BARRIER  k2", "barrier", " k2"],
    ["BARRIER ", "barrier", null],
    ["BARRIER CHECK k1", "check", "k1"],
    ["BARRIER CHECK ", "check", null],
    ["BARRIER CHECK  CHECK", "check", " CHECK"],
  ])("%j is a %s with key %j", (rest, kind, key) => {
    expect(briefly(readItems(`#DISBATCH ${rest}\n`))).toEqual([
      `0 line 1: ${kind} key ${JSON.stringify(key)}`,
    ]);
  });

  it("takes an id and keeps its line for the status file, without prefix and suffix", () => {
    const items = readItems("#DISBATCH PREFIX a\n#DISBATCH SUFFIX b\nx\n#DISBATCH BARRIER k\ny\n");
    expect(items.map((item) => "id" in item && item.id)).toEqual([0, 1, 2]);
    expect(items[1]?.kind === "barrier" && latin1(items[1].text)).toBe("#DISBATCH BARRIER k");
  });

  it("has a key of UTF-8", () => {
    expect(readItems(Buffer.from("#DISBATCH BARRIER clé\n"))).toMatchObject([{ key: "clé" }]);
  });
});

describe("PREFIX and SUFFIX", () => {
  it("are put around tasks and REPEAT, byte for byte, until they are replaced or cleared", () => {
    const list = [
      "a",
      "#DISBATCH PREFIX  ( ",
      "#DISBATCH suffix  ) \xff",
      "b ",
      "#DISBATCH REPEAT 1 c",
      "#DISBATCH REPEAT 1",
      "#DISBATCH Prefix <",
      "#DISBATCH SUFFIX ",
      "d",
      "#DISBATCH PREFIX ",
      "e",
    ];
    expect(briefly(readItems(list.join("\n")))).toEqual([
      "0 line 1: a",
      "1 line 4:  ( b  ) \xff",
      "2 line 5 index 0:  ( c ) \xff",
      "3 line 6 index 0:  (  ) \xff",
      "4 line 9: <d",
      "5 line 11: e",
    ]);
  });
});

describe("PERENGINE", () => {
  it("takes the prefix and suffix in force at its line, and no id", () => {
    const list =
      "#DISBATCH PERENGINE START a\n#DISBATCH PREFIX <\n# c\n\n#DISBATCH perengine STOP b \n#DISBATCH PERENGINE STOP \nx\n";
    expect(briefly(readItems(list))).toEqual([
      "start line 1: a",
      "stop line 5: <b ",
      "stop line 6: <",
      "0 line 7: <x",
    ]);
  });

  it.each(["true", "#DISBATCH REPEAT 0 x", "#DISBATCH BARRIER", "#DISBATCH"])(
    "comes too late after %j",
    (line) => {
      const late = readItems(`${line}\n#DISBATCH PERENGINE START a\ntrue\n`).at(-1);
      expect(late).toMatchObject({ kind: "error", line: 2, text: "#DISBATCH PERENGINE START a" });
      expect(messageOf(late)).toMatch(/"#DISBATCH PERENGINE START a" comes too late.*Move it to the top/);
    },
  );
});

describe("what only looks like a directive", () => {
  it("is a comment when it is indented or not in upper case", () => {
    expect(readItems(" #DISBATCH BARRIER\n#disbatch BARRIER\n#Disbatch FOO\n")).toEqual([]);
  });

  it("runs as a task when no space follows #DISBATCH, which is told once", () => {
    const items = readItems("#DISBATCH PREFIX echo \n#DISBATCH\n#DISBATCHX y\n#DISBATCH\tBARRIER");
    expect(briefly(items)).toEqual([
      "notice line 2",
      "0 line 2: echo #DISBATCH",
      "1 line 3: echo #DISBATCHX y",
      "2 line 4: echo #DISBATCH\tBARRIER",
    ]);
  });
});
