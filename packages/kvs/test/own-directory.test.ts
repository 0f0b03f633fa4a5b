import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { whyNotOurs, whyUnsafe as whyUnsafeFrom } from "../src/own-directory.js";

const whyUnsafe = (path: string) => whyUnsafeFrom(path, "the group too");

let place = "";
beforeEach(() => {
  place = mkdtempSync("/tmp/tm-own-");
});
afterEach(() => {
  rmSync(place, { recursive: true });
});

function directory(name: string, mode: number): string {
  const path = join(place, name);
  mkdirSync(path);
  chmodSync(path, mode);
  return path;
}

describe("a directory in which something of ours is to be made", () => {
  it("is safe when it is ours, or sticky as /tmp is", () => {
    expect(whyUnsafe("/tmp")).toBeNull();
    expect(whyUnsafe(place)).toBeNull();
    expect(whyUnsafe(directory("shared", 0o1777))).toBeNull();
    expect(whyUnsafe(join(place, "none"))).toBeNull();
  });

  it.each([
    ["everybody", 0o777],
    ["the group", 0o770],
  ])("is not when %s could put something in its place, in it or above", (_who, mode) => {
    const open = directory("open", mode);
    expect(whyUnsafe(open)).toBe(
      `others can write into ${open} (mode 0${mode.toString(8)}), and it is not sticky as /tmp is`,
    );
    const inside = join(open, "inside");
    mkdirSync(inside, { mode: 0o700 });
    expect(whyUnsafe(inside)).toContain(`others can write into ${open}`);
    const link = join(place, "link");
    symlinkSync(inside, link);
    expect(whyUnsafe(link)).toContain(`others can write into ${open}`);
  });
});

describe("a directory of a run's files", () => {
  it("may be a group's", () => {
    expect(whyUnsafeFrom(directory("group", 0o770), "everybody")).toBeNull();
    expect(whyUnsafeFrom(directory("all", 0o777), "everybody")).toContain("others can write into");
  });
});

describe("a directory that should be ours", () => {
  it("is, when nobody else can write into it", () => {
    expect(whyNotOurs(directory("own", 0o700))).toBeNull();
    expect(whyNotOurs(directory("readable", 0o755))).toBeNull();
    expect(whyNotOurs(join(place, "none"))).toBeNull();
  });

  it("is not, when it is a link, a file, or open to others", () => {
    const link = join(place, "link");
    symlinkSync(directory("own", 0o700), link);
    expect(whyNotOurs(link)).toBe(`${link} is a symbolic link`);
    const file = join(place, "file");
    writeFileSync(file, "");
    expect(whyNotOurs(file)).toBe(`${file} is no directory`);
    const open = directory("open", 0o1777);
    expect(whyNotOurs(open)).toBe(`others can write into ${open} (mode 1777)`);
  });

  it.runIf(process.getuid?.() === 0)("is not, when it is somebody else's", () => {
    const theirs = directory("theirs", 0o700);
    chownSync(theirs, 12_345, 12_345);
    expect(whyNotOurs(theirs)).toBe(`${theirs} belongs to another user`);
  });
});
