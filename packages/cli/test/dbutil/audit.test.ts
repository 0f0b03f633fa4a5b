import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { type StatusRow, formatRows } from "@taskmuster/driver/status-line";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { row } from "../../../driver/test/rows.js";
import { audit } from "../../src/dbutil/audit.js";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "taskmuster-audit-test-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const statusFile = (): string => join(directory, "run_status.txt");

const run = {
  kind: "run",
  version: 2,
  runId: "r",
  at: "1970-01-01T00:10:00.000Z",
  host: "vm",
  pid: 7,
  cwd: "/w",
  taskFile: "tasks",
  resumedFrom: [],
  setAside: null,
};
const lost = (...ids: readonly number[]): object => ({
  kind: "lostEngine",
  at: "t",
  engine: "e",
  rank: 1,
  host: "n1",
  why: "its lease ran out",
  tasks: ids.map((id) => ({ id, attempt: 1 })),
});
const end = (more: object = {}): object => ({
  kind: "end",
  at: "1970-01-01T00:20:00.000Z",
  reason: "finished",
  ...more,
});

/** What the command prints of a run with these rows and ledger entries, and its exit status. */
async function audited(
  rows: readonly StatusRow[],
  entries: readonly object[],
  options: Parameters<typeof audit>[1] = {},
): Promise<{ readonly code: number; readonly text: string }> {
  writeFileSync(statusFile(), formatRows(rows));
  if (entries.length > 0) {
    writeFileSync(
      join(directory, "run_ledger"),
      entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""),
    );
  }
  let text = "";
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  const code = await audit(statusFile(), options, stdout);
  return { code, text: text.replaceAll(directory, "/d") };
}

const ids = (count: number): readonly number[] => Array.from({ length: count }, (_, id) => id);

describe("dbutil audit", () => {
  it("says little of a run that is as it should be", async () => {
    const rows = ids(1200).map((id) => row(id));
    expect(await audited(rows, [run, end({ done: 1200 })])).toEqual({
      code: 0,
      text: [
        "1,200 tasks: 1,200 ended well; none is known to have run more than once; the file is whole",
        "file     /d/run_status.txt: 1,200 rows",
        "run      it has ended: the list was worked through",
        "",
      ].join("\n"),
    });
  });

  it("tells what failed, what has no row, and what may have run twice, and what to do", async () => {
    const rows = [
      row(0),
      row(1, { returnCode: -9 }),
      row(3, { start: 1003, finish: 1010 }),
      row(3, { kind: "zombie", returnCode: 2, start: 1000, finish: 1004 }),
      row(6),
      row(7),
    ];
    const entries = [{ ...run, ids: 10 }, lost(2, 3, 6), lost(7), end({ reason: "noEngines" })];
    expect(await audited(rows, entries)).toEqual({
      code: 4,
      text: [
        "10 tasks: 4 ended well, 1 failed, 5 have no row (2, 4-5, 8-9); 3 may have run more than once (3, 6-7); the file is whole",
        "file     /d/run_status.txt: 6 rows",
        "run      it has ended: no engine was left",
        "no row   2, 4-5, 8-9",
        "begun    task 2 may have run in part: it was lost (its lease ran out)",
        "failed   task 1 (line 2): signal 9 (KILL)",
        "repeated task 3 (line 4): attempt 1 was lost with engine 1 on n1 (its lease ran out); an attempt that had been given up ended late: exit 2 (row 4); two attempts ran AT THE SAME TIME for 1.000 s, by the clocks of their hosts",
        "         tasks 6-7: attempt 1 was lost with engine 1 on n1 (its lease ran out)",
        "next     driver -r /d/run_status.txt /w/tasks   runs what has no row; add the options of that run (-s, -p, …)",
        "         with -R it runs what failed, too",
        "         see whether it does harm that those tasks may have run, in part, before",
        "",
      ].join("\n"),
    });
  });

  it("tells which tasks were tried again, and which timed out, and blames nobody for that", async () => {
    const rows = [row(0), row(1, { kind: "timedOut", returnCode: -15 })];
    const failed = [
      { id: 1, attempt: 1, returnCode: 4 },
      { id: 0, attempt: 1, returnCode: -9 },
    ];
    const retries = { kind: "retries", at: "t", tasks: failed };
    expect(await audited(rows, [{ ...run, ids: 2 }, retries, end()])).toEqual({
      code: 0,
      text: [
        "2 tasks: 1 ended well, 1 failed; none is known to have run more than once; the file is whole",
        "file     /d/run_status.txt: 2 rows",
        "run      it has ended: the list was worked through",
        "failed   task 1 (line 2): timed out, signal 15 (TERM)",
        "retried  task 0 (line 1): attempt 1: signal 9 (KILL)",
        "         task 1 (line 2): attempt 1: exit 4",
        "next     driver -r /d/run_status.txt /w/tasks -R   runs what failed once more",
        "",
      ].join("\n"),
    });
    const stopped = await audited([], [{ ...run, ids: 2 }, retries, end({ reason: "drained" })], {
      json: true,
    });
    expect(JSON.parse(stopped.text)).toMatchObject({
      counts: { retried: 2, missing: 2 },
      begun: [],
      retried: [
        { id: 0, attempts: [{ attempt: 1, returnCode: -9 }] },
        { id: 1, attempts: [{ attempt: 1, returnCode: 4 }] },
      ],
    });
    const words = await audited([], [{ ...run, ids: 2 }, retries, end({ reason: "drained" })]);
    expect(words.text).toContain(
      "retried  task 0: attempt 1: signal 9 (KILL); no attempt after that has ended\n",
    );
  });

  it("shows the beginning of long lists, and all with --all", async () => {
    const rows = ids(30).map((id) => row(id, { returnCode: 1 }));
    const some = await audited(rows, [run, end()]);
    expect(some.code).toBe(0);
    expect(some.text.match(/exit 1/g)).toHaveLength(10);
    expect(some.text).toContain("\n         … and 20 more (--all shows them)\n");
    const all = await audited(rows, [run, end()], { all: true });
    expect(all.text.match(/exit 1/g)).toHaveLength(30);
    expect(all.text).not.toContain("more (--all");
  });

  it("says what is wrong with a damaged file, line by line", async () => {
    const rows = [row(0), row(1, { elapsed: 70 }), row(0), row(2, { kind: "skipped" })];
    const { code, text } = await audited(rows, [run, end({ done: 7, bytes: 5 })]);
    expect(code).toBe(5);
    expect(text).toContain("the file is DAMAGED\n");
    expect(text.slice(text.indexOf("damage"))).toMatch(
      new RegExp(
        [
          "^damage   1 row of tasks that have one already",
          "         1 row contradicts itself",
          "         the ledger says that 7 tasks ended, and the file has rows of 2",
          String.raw`         the file had 5 bytes when the run ended, and has \d+ now`,
          String.raw`         1 row marked as done by an earlier run \(S\), of which no earlier file has a row`,
          "         line 3: a second row of task 0, the first is line 1",
          String.raw`         line 2, task 1: it took longer than from its start to its finish \(.*\)`,
          "         task 2: marked as done before, and no earlier file has it",
          "next     sed -n '1p;3p' /d/run_status.txt   shows two rows of one task",
          "$",
        ].join("\n"),
      ),
    );
  });

  it("names the way to go on with a run whose driver was killed, before that to run what is left anew", async () => {
    const list = { kind: "file", path: "/w/tasks", bytes: 5, sha256: "aa" };
    const killed = { ...run, ids: 2, args: ["-s", "localhost:2", "tasks"], list };
    const { text } = await audited([row(0)], [killed]);
    expect(text).toContain(
      "next     driver --recover /d/run   goes on with it, beside engines that are still at work; or\n" +
        "         driver -r /d/run_status.txt /w/tasks   runs what has no row",
    );
    const json = JSON.parse((await audited([row(0)], [killed], { json: true })).text) as object;
    expect(json).toMatchObject({ recover: "driver --recover /d/run" });
    for (const entries of [[killed, end()], [run]])
      expect((await audited([row(0)], entries)).text).not.toContain("--recover");
  });

  it("says what cannot be told without a ledger", async () => {
    const { code, text } = await audited([row(0), row(2)], []);
    expect(code).toBe(3);
    expect(text).toContain("at least 3 tasks: 2 ended well, 1 has no row (1); none is known");
    expect(text).toContain("run      nothing tells whether it has ended\n");
    expect(text).toContain(
      "ledger   there is none (/d/run_ledger): nothing tells whether the run has ended,",
    );
    expect(text).toContain(
      "next     driver -r /d/run_status.txt TASKFILE   runs what has no row, once it is certain",
    );
  });

  it("says that a ledger of before does not name all", async () => {
    const { text } = await audited([row(0)], [{ ...run, version: 1 }, end()]);
    expect(text).toContain("note     this ledger does not name tasks that were stopped and handed back");
  });

  it("prints all of it as one JSON value with --json", async () => {
    const rows = [row(0), row(1, { returnCode: 3 }), row(3), row(3, { kind: "zombie" }), row(3)];
    const entries = [{ ...run, ids: 5 }, lost(3, 4), end({ reason: "stopped" })];
    const { code, text } = await audited(rows, entries, { json: true });
    expect(code).toBe(5);
    const attempt = { attempt: 1, lost: "engine", at: "t", engine: 1, host: "n1", why: "its lease ran out" };
    expect(JSON.parse(text)).toMatchObject({
      statusFile: "/d/run_status.txt",
      exitStatus: 5,
      repeated: [
        { id: 3, line: 4, certain: true, overlapSeconds: 1.5, attempts: [attempt], late: [{ row: 4 }] },
      ],
      verdict: { unfinished: true, repeated: true, damaged: true },
      run: { state: "ended", reason: "stopped", taskFile: "tasks", pid: 7 },
      ledger: { found: "read", namesAllBegun: true },
      total: { ids: 5, by: "ledger" },
      counts: { rows: 5, tasks: 3, failed: 1, missing: 2, repeated: 1, overlapping: 1, lateRows: 1 },
      missing: [
        [2, 2],
        [4, 4],
      ],
      succeeded: [
        [0, 0],
        [3, 3],
      ],
      failed: [{ id: 1, line: 2, returnCode: 3, row: 2 }],
      begun: [{ id: 4, attempts: [attempt] }],
      secondRows: [{ id: 3, row: 5, first: 3 }],
      damage: [{ kind: "secondRows", count: 1 }],
      resume: "driver -r /d/run_status.txt /w/tasks",
    });
  });

  it("gives up when nobody reads what it says", async () => {
    writeFileSync(statusFile(), formatRows(ids(20_000).map((id) => row(2 * id, { returnCode: 1 }))));
    let writes = 0;
    const closed = new Writable({
      write(_chunk, _encoding, done) {
        writes++;
        done(new Error("EPIPE"));
      },
    });
    closed.on("error", () => undefined);
    expect(await audit(statusFile(), { all: true }, closed)).toBe(3);
    expect(writes).toBe(1);
  });
});
