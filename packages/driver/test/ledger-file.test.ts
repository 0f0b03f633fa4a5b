import { readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LedgerFile } from "../src/ledger-file.js";
import { StatusFileError } from "../src/status-file.js";
import { usePlace } from "./place.js";

const path = usePlace();

describe("a ledger", () => {
  it("is appended to, one line of JSON an entry, and is private", () => {
    const first = new LedgerFile(path("l"));
    first.append({ kind: "epoch", at: "now", token: 1 });
    first.close();
    first.close();
    const second = new LedgerFile(path("l"));
    second.append({ kind: "end", at: "then", reason: "finished", done: 3 });
    expect(readFileSync(path("l"), "utf8")).toBe(
      '{"kind":"epoch","at":"now","token":1}\n{"kind":"end","at":"then","reason":"finished","done":3}\n',
    );
    second.close();
    expect(statSync(path("l")).mode & 0o777).toBe(0o600);
  });

  it("takes nothing more once it is closed", () => {
    const ledger = new LedgerFile(path("l"));
    ledger.close();
    ledger.append({ kind: "epoch", at: "now", token: 1 });
    expect(readFileSync(path("l"), "utf8")).toBe("");
  });

  it("says why it cannot be written", () => {
    writeFileSync(path("f"), "");
    expect(() => new LedgerFile(path("f/l"))).toThrow(StatusFileError);
    expect(() => new LedgerFile(path("f/l"))).toThrow(
      `cannot write ${path("f/l")}: a part of the path is not a directory`,
    );
    const full = new LedgerFile("/dev/full");
    expect(() => full.append({ kind: "epoch", at: "now", token: 1 })).toThrow(
      "cannot write /dev/full: no space left",
    );
    full.close();
  });
});
