import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { auditFile } from "../../src/audit/audit-file.js";
import { type StatusRow, formatRows, statusHeader } from "../../src/core/status-line/index.js";
import { usePlace } from "../place.js";
import { row } from "../rows.js";
import { ended, runEntry, text } from "./made-up.js";

const path = usePlace();
const noList = { list: null };

/** The files of a run whose rows are of 1970. */
function write(prefix: string, rows: readonly StatusRow[], ...entries: readonly object[]): void {
  writeFileSync(path(`${prefix}_status.txt`), formatRows(rows));
  if (entries.length > 0) writeFileSync(path(`${prefix}_ledger`), text(...entries));
}

const then = { at: "1970-01-01T00:10:00.000Z", cwd: "/" };
const finished = ended("finished", { at: "1970-01-01T00:20:00.000Z" });

describe("auditFile", () => {
  it("reads a status file and the ledger beside it, by its name or the prefix", async () => {
    write("run", [row(0), row(1)], runEntry(then), finished);
    const audit = await auditFile(path("run_status.txt"), noList);
    expect(audit.verdict).toEqual({ unfinished: false, repeated: false, damaged: false });
    expect(audit.parts).toMatchObject({
      state: "ended",
      ledger: { found: "read", path: path("run_ledger") },
    });
    expect(audit.parts.file.bytes).toBe(readFileSync(path("run_status.txt")).length);
    expect((await auditFile(path("run"), noList)).parts.file.path).toBe(path("run_status.txt"));
  });

  it("takes the header for what it is, on the first line only", async () => {
    write("run", [], runEntry(then), finished);
    writeFileSync(path("run_status.txt"), `${statusHeader}\n`);
    expect((await auditFile(path("run"), noList)).damage).toEqual([]);
    appendFileSync(path("run_status.txt"), formatRows([row(0)]));
    appendFileSync(path("run_status.txt"), `${statusHeader}\n`);
    const { parts } = await auditFile(path("run"), noList);
    expect([...parts.rows.bad()]).toEqual([{ at: 3, fault: { what: "header" } }]);
  });

  it("says why a file cannot be audited", async () => {
    const at = (name: string) => auditFile(path(name), noList);
    await expect(at("none_status.txt")).rejects.toThrow(
      `cannot read the status file ${path("none_status.txt")}: no such file or directory`,
    );
    mkdirSync(path("d"));
    await expect(at("d")).rejects.toThrow(`cannot audit ${path("d")}: it is not a regular file`);
    await expect(auditFile("/dev/null", noList)).rejects.toThrow("it is not a regular file");
    execFileSync("mkfifo", [path("pipe")]);
    await expect(at("pipe")).rejects.toThrow("it is not a regular file");
    writeFileSync(path("novel"), "Call me Ishmael.\n");
    await expect(at("novel")).rejects.toThrow(`${path("novel")} is not a status file`);
    writeFileSync(path("binary"), Buffer.alloc(20 * 1024 * 1024, "x"));
    await expect(at("binary")).rejects.toThrow("is not a status file");
    write("run", [row(0)]);
    writeFileSync(path("run_ledger"), text(runEntry(then)));
    await expect(at("run_ledger")).rejects.toThrow("is not a status file");
    await expect(at("run_status.txt/x")).rejects.toThrow("a part of the path is not a directory");
  });

  it.runIf(process.getuid?.() !== 0)("says that it may not read a file", async () => {
    write("run", [row(0)]);
    chmodSync(path("run_status.txt"), 0);
    await expect(auditFile(path("run"), noList)).rejects.toThrow("permission denied");
  });

  it("says what the ledger is, where it is none of use", async () => {
    const found = async (name = "run_status.txt") => (await auditFile(path(name), noList)).parts.ledger.found;
    write("run", [row(0)]);
    expect(await found()).toBe("missing");
    writeFileSync(path("run_ledger"), "");
    expect(await found()).toBe("unreadable");
    writeFileSync(path("run_ledger"), "what is this\n");
    expect(await found()).toBe("unreadable");
    truncateSync(path("run_ledger"), 300 * 1024 * 1024);
    expect(await found()).toBe("unreadable");
    rmSync(path("run_ledger"));
    execFileSync("mkfifo", [path("run_ledger")]);
    expect(await found()).toBe("unreadable");
    rmSync(path("run_ledger"));
    mkdirSync(path("run_ledger"));
    expect(await found()).toBe("unreadable");
    rmdirSync(path("run_ledger"));
    writeFileSync(path("run_ledger"), Buffer.from([0xff, 0x0a, 0, 0x0a]));
    expect(await found()).toBe("unreadable");
    writeFileSync(path("run_ledger"), text(runEntry(), finished));
    expect(await found()).toBe("otherRun");
    writeFileSync(path("other.txt"), formatRows([row(0)]));
    expect(await found("other.txt")).toBe("unnamed");
  });

  it("tells a driver that is at work from one that was killed, and from one that it cannot look at", async () => {
    const state = async (...entries: readonly object[]) => {
      write("run", [row(0)], ...entries);
      return (await auditFile(path("run"), noList)).parts.state;
    };
    const here = { ...then, host: hostname(), pid: process.pid };
    expect(await state(runEntry(here))).toBe("brokenOff");
    writeFileSync(path("run_kvsinfo.txt"), "{}");
    expect(await state(runEntry(here))).toBe("atWork");
    expect(await state(runEntry({ ...here, pid: 1 }))).toBe("brokenOff");
    expect(await state(runEntry({ ...here, host: "elsewhere" }))).toBe("unknown");
    expect(await state(runEntry(here), finished)).toBe("ended");
  });

  it("tells a line that is being written from one that was torn", async () => {
    write("run", [row(0)], runEntry({ ...then, host: hostname(), pid: process.pid }));
    writeFileSync(path("run_kvsinfo.txt"), "{}");
    appendFileSync(path("run_status.txt"), formatRows([row(1)]).subarray(0, 20));
    const audit = await auditFile(path("run"), noList);
    expect(audit.parts).toMatchObject({ state: "atWork", rows: { torn: { at: 2, id: 1 } } });
    expect(audit.damage).toEqual([]);
    appendFileSync(path("run_ledger"), text(finished));
    expect((await auditFile(path("run"), noList)).damage).toEqual([{ kind: "torn", at: 2 }]);
  });

  it("knows a run that has only begun to write its first row", async () => {
    write("run", [], runEntry(then));
    writeFileSync(path("run_status.txt"), formatRows([row(0)]).subarray(0, 20));
    expect((await auditFile(path("run"), noList)).parts.rows.torn).toEqual({ at: 1, id: 0 });
  });

  it("looks at the runs that a run goes on from, and at those before", async () => {
    const own = (id: number) => row(id, { returnCode: 1 });
    const skipped = (id: number) => row(id, { kind: "skipped", returnCode: 1 });
    const cwd = path();
    write("one", [own(0)], runEntry({ ...then, cwd }), { ...finished, reason: "drained" });
    write(
      "two",
      [skipped(0), row(1)],
      runEntry({ ...then, cwd, resumedFrom: ["one_status.txt", path("one_status.txt")] }),
      { kind: "lostEngine", at: "t", why: "", tasks: [{ id: 1, attempt: 1 }] },
      { ...finished, reason: "drained" },
    );
    write(
      "three",
      [row(0), row(1, { kind: "skipped" }), row(2)],
      runEntry({
        ...then,
        cwd,
        version: 2,
        resumedFrom: ["two_status.txt", "gone_status.txt", "one_status.txt"],
      }),
      finished,
    );
    const audit = await auditFile(path("three"), noList);
    expect(audit.parts.earlier).toEqual([
      { path: path("two_status.txt"), why: null, state: "ended" },
      { path: path("one_status.txt"), why: null, state: "ended" },
      { path: path("gone_status.txt"), why: "no such file", state: "unknown" },
    ]);
    expect([...audit.runAgain()]).toEqual([0]);
    expect([...audit.repeated()]).toMatchObject([{ id: 1, past: { ended: 1, begun: 1 } }]);
  });

  it("does not take rows of earlier runs for this run's own", async () => {
    const { at: _, ...today } = then;
    write("one", [row(0)], runEntry(then), finished);
    write(
      "two",
      [row(0, { kind: "skipped" })],
      runEntry({ ...today, cwd: path(), resumedFrom: ["one_status.txt"] }),
      ended("finished", { at: "2026-01-01T00:00:01.000Z" }),
    );
    expect((await auditFile(path("two"), noList)).verdict).toEqual({
      unfinished: false,
      repeated: false,
      damaged: false,
    });
  });

  it("finds a file that was set aside, also where all were moved together", async () => {
    const earlier = [row(0)];
    write("run", [row(0, { kind: "skipped" }), row(1)]);
    writeFileSync(path("run_status_1.txt"), formatRows(earlier));
    const name = path("run_status.txt");
    writeFileSync(
      path("run_ledger"),
      text(
        runEntry(then),
        { ...finished, reason: "drained" },
        runEntry({ ...then, resumedFrom: [name], setAside: path("run_status_1.txt") }),
        finished,
      ),
    );
    mkdirSync(path("moved"));
    for (const file of ["run_status.txt", "run_status_1.txt", "run_ledger"]) {
      renameSync(path(file), path(`moved/${file}`));
    }
    const audit = await auditFile(path("moved/run"), noList);
    expect(audit.parts.earlier).toMatchObject([{ path: path("moved/run_status_1.txt"), why: null }]);
    expect(audit.verdict).toEqual({ unfinished: false, repeated: false, damaged: false });
    const aside = await auditFile(path("moved/run_status_1.txt"), noList);
    expect(aside.parts).toMatchObject({ state: "ended", section: { end: { reason: "drained" } } });
  });

  it("compares every row with the list", async () => {
    writeFileSync(
      path("tasks"),
      "echo 0\necho 1\n#DISBATCH BARRIER\n#DISBATCH REPEAT 2 start 4 echo r\nlast\n",
    );
    const barrier = row(2, { kind: "barrier", command: Buffer.from("#DISBATCH BARRIER") });
    const repeats = [4, 5].map((repeatIndex, n) =>
      row(3 + n, { repeatIndex, line: 4, command: Buffer.from("echo r") }),
    );
    write("run", [row(0), row(1), barrier, ...repeats], runEntry({ ...then, pid: 102 }), finished);
    const good = await auditFile(path("run"), { list: path("tasks") });
    expect(good.parts.list).toEqual({ path: path("tasks"), tasks: 5, barriers: 1, others: [] });
    expect([...good.missing()]).toEqual([[5, 5]]);
    writeFileSync(path("tasks"), "echo 0\necho 2\necho b\n#DISBATCH REPEAT 2 start 4 echo r\nlast\n");
    const other = await auditFile(path("run"), { list: path("tasks") });
    expect(other.parts.list?.others).toEqual([[1, 2]]);
    await expect(auditFile(path("run"), { list: path("none") })).rejects.toThrow("cannot read the task file");
    await expect(auditFile(path("run"), { list: "/dev/null" })).rejects.toThrow("is not a regular file");
  });
});
