import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findRun, statusFileMeant } from "../../src/dbutil/find-run.js";
import { UsageError } from "../../src/usage-error.js";

let dir = "";
const path = (name: string): string => join(dir, name);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "taskmuster-find-run-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function run(prefix: string, at: number): void {
  writeFileSync(path(`${prefix}_kvsinfo.txt`), "{}");
  utimesSync(path(`${prefix}_kvsinfo.txt`), at, at);
  writeFileSync(path(`${prefix}_dbUtil.sh`), "");
}

describe("findRun", () => {
  it("finds a run by its prefix, by any of its files, and by a link to its script", async () => {
    run("one", 1);
    symlinkSync(path("one_dbUtil.sh"), path("tasks_dbUtil.sh"));
    const found = { prefix: path("one"), addressFile: path("one_kvsinfo.txt") };
    for (const name of ["one", "one_dbUtil.sh", "one_kvsinfo.txt", "one_status.txt", "tasks_dbUtil.sh"]) {
      expect(await findRun(path(name))).toEqual(found);
    }
  });

  it("takes the newest run in a directory", async () => {
    run("new", 300);
    run("old", 100);
    expect((await findRun(dir)).prefix).toBe(path("new"));
  });

  it("tells a run that has ended from one that never was", async () => {
    writeFileSync(
      path("over_ledger"),
      `${JSON.stringify({ kind: "run" })}\n${JSON.stringify({ kind: "end", reason: "finished", done: 7 })}\n`,
    );
    await expect(findRun(path("over"))).rejects.toThrow(
      `the run ${path("over")} has ended: finished, 7 tasks done`,
    );
    await expect(findRun(path("never"))).rejects.toThrow("no run with the prefix");
    mkdirSync(path("empty"));
    await expect(findRun(path("empty"))).rejects.toThrow(UsageError);
    await expect(findRun(path("empty"))).rejects.toThrow("no run is at work in");
  });
});

describe("statusFileMeant", () => {
  it("is what was named, or that of the run that was named by anything of it", () => {
    run("one", 1);
    writeFileSync(path("one_status.txt"), "");
    symlinkSync(path("one_dbUtil.sh"), path("tasks_dbUtil.sh"));
    for (const name of ["one_status.txt", "one_ledger", "one_dbUtil.sh", "tasks_dbUtil.sh"]) {
      expect(statusFileMeant(path(name), {})).toBe(path("one_status.txt"));
    }
    // Others read it, or say what is wrong with it.
    for (const name of ["one", "one_status_1.txt", "any", "none_ledger"]) {
      expect(statusFileMeant(path(name), { TASKMUSTER_RUN: path("one") })).toBe(path(name));
    }
    expect(statusFileMeant(undefined, { TASKMUSTER_RUN: path("one") })).toBe(path("one_status.txt"));
    expect(() => statusFileMeant(undefined, {})).toThrow(UsageError);
  });
});
