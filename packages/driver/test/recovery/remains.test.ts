import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { checkList, isUnfinished, readRemains } from "../../src/recovery/remains.js";
import { usePlace } from "../place.js";

const path = usePlace();

const run = {
  kind: "run",
  version: 1,
  runId: "r",
  at: "2026-11-21T12:00:00.000Z",
  host: "login",
  pid: 42,
  cwd: "/w",
  taskFile: "tasks",
  resumedFrom: [],
  setAside: null,
  args: ["-s", "localhost:2", "tasks"],
  list: { kind: "file", path: "/w/tasks", bytes: 5, sha256: "aa" },
};
const epoch = {
  kind: "epoch",
  at: "t",
  token: 1,
  host: "login",
  pid: 42,
  process: { boot: "b", start: "7" },
  hostOnly: true,
  storeHost: "login",
};

function ledger(name: string, ...entries: readonly object[]): void {
  writeFileSync(path(`${name}_ledger`), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
}

describe("readRemains", () => {
  it("finds a run by its prefix, any of its files, the link to its script, or its task file", () => {
    ledger("one", run, epoch);
    writeFileSync(path("one_dbUtil.sh"), "");
    symlinkSync(path("one_dbUtil.sh"), path("tasks_dbUtil.sh"));
    for (const name of [
      "one",
      "one_",
      "one_status.txt",
      "one_ledger",
      "one_dbUtil.sh",
      "tasks_dbUtil.sh",
      "tasks",
      "",
    ]) {
      expect(readRemains(path(name)).files.prefix, name).toBe(path("one"));
    }
    expect(readRemains(path("one"))).toMatchObject({
      run: { args: run.args, list: run.list, cwd: "/w" },
      driver: { host: "login", pid: 42, process: { boot: "b", start: "7" }, hostOnly: true },
      address: null,
    });
  });

  it("means the last driver, and the last run with this prefix", () => {
    ledger("one", run, epoch, { kind: "end", at: "t", reason: "drained", done: 1 }, run, epoch, {
      ...epoch,
      pid: 43,
    });
    expect(readRemains(path("one")).driver.pid).toBe(43);
    expect(isUnfinished(path("one"))).toBe(true);
  });

  it("says what is not there, what has ended, and what is not known well enough", () => {
    expect(() => readRemains(path("none"))).toThrow(`--recover: there is no run ${path("none")}: no `);
    ledger("ended", run, epoch, { kind: "end", at: "t", reason: "finished", done: 4 });
    expect(() => readRemains(path("ended"))).toThrow(
      /has ended \(finished, 4 tasks done\): there is nothing to recover. To run what it has left: driver -r .*ended_status.txt … tasks/,
    );
    ledger("old", { ...run, args: undefined, list: undefined }, { kind: "epoch", at: "t", token: 1 });
    expect(() => readRemains(path("old"))).toThrow("does not say enough to take the run over");
    ledger("torn", run);
    expect(() => readRemains(path("torn"))).toThrow("does not say enough to take the run over");
    writeFileSync(path("novel_ledger"), "Call me Ishmael.\n");
    expect(() => readRemains(path("novel"))).toThrow("is not the ledger of a run");
    ledger("program", { ...run, list: { kind: "program", spool: "/w/p_tasks" } }, epoch);
    expect(() => readRemains(path("program"))).toThrow(/came from a program .* driver -r .* … \/w\/p_tasks/s);
    expect(["none", "ended", "old", "novel"].map((name) => isUnfinished(path(name)))).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  it("takes a directory for the one run in it that did not end", () => {
    mkdirSync(path("d"));
    expect(() => readRemains(path("d"))).toThrow("no run in");
    ledger("d/one", run, epoch);
    ledger("d/two", run, epoch, { kind: "end", at: "t", reason: "finished", done: 4 });
    expect(readRemains(path("d")).files.jobId).toBe("one");
    ledger("d/three", run, epoch);
    expect(() => readRemains(path("d"))).toThrow(
      /several runs in .* did not end; name one of them:\n.*d\/one\n|three/s,
    );
  });
});

describe("checkList", () => {
  it("refuses a task file that is not what it was, and says how", () => {
    ledger("one", run, epoch);
    const { files, run: of } = readRemains(path("one"));
    const was = { kind: "file", path: "/w/tasks", bytes: 5, sha256: "aa" } as const;
    checkList(was, was, files, of);
    expect(() => checkList(was, { ...was, sha256: "bb" }, files, of)).toThrow(
      "the task file /w/tasks is not what it was when the run began: it has other words in it",
    );
    expect(() => checkList(was, { ...was, bytes: 6, sha256: "bb" }, files, of)).toThrow(
      "it had 5 bytes, and has 6",
    );
  });
});
