import { execFileSync } from "node:child_process";
import {
  chownSync,
  closeSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPrivateFile } from "../src/private-file.js";

let place = "";
let path = "";
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
  path = join(place, "file");
});
afterEach(() => {
  rmSync(place, { recursive: true });
});

function append(text: string): void {
  const file = openPrivateFile(path);
  writeSync(file, text);
  closeSync(file);
}

describe("a private file", () => {
  it.each([0o000, 0o022, 0o077, 0o777])("is its owner's only, with umask %o", (umask) => {
    const before = process.umask(umask);
    try {
      append("one\n");
    } finally {
      process.umask(before);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("is appended to when it is there", () => {
    append("one\n");
    append("two\n");
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
  });

  it("is not what a link leads to, whether or not that is there", () => {
    symlinkSync(join(place, "elsewhere"), path);
    expect(() => append("x")).toThrow("it is a symbolic link");
    writeFileSync(join(place, "elsewhere"), "");
    expect(() => append("x")).toThrow("it is a symbolic link");
    expect(readFileSync(join(place, "elsewhere"), "utf8")).toBe("");
  });

  it("is not a pipe, for whose other end one would wait", () => {
    execFileSync("mkfifo", [path]);
    expect(() => append("x")).toThrow("it is no regular file");
  });

  it.runIf(process.getuid?.() === 0)("is not somebody else's", () => {
    writeFileSync(path, "", { mode: 0o666 });
    chownSync(path, 12_345, 12_345);
    expect(() => append("x")).toThrow("it belongs to another user");
  });
});
