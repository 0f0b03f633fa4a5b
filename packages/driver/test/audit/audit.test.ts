import { describe, expect, it } from "vitest";
import type { Damage } from "../../src/core/audit/audit.js";
import { PastRuns } from "../../src/core/audit/past-runs.js";
import { auditOf, ended, fileRows, lost, row, runEntry, section, sectionOf } from "./made-up.js";

const never = (): boolean => false;

describe("an audit", () => {
  it("finds nothing wrong where every task has its one row", () => {
    const audit = auditOf(fileRows([row(1, { returnCode: 3 }), row(0), row(2, { kind: "barrier" })]), {
      section: section(ended("finished", { done: 2 })),
    });
    expect(audit.verdict).toEqual({ unfinished: false, repeated: false, damaged: false });
    expect(audit.total).toEqual({ ids: 3, by: "end" });
    expect([...audit.succeeded(false)]).toEqual([[0, 0]]);
    expect([...audit.failed(false)]).toEqual([[1, 1]]);
    expect([...audit.barriers()]).toEqual([[2, 2]]);
    expect(audit.final(1)).toMatchObject({ at: 1, line: 2, returnCode: 3 });
  });

  it("counts a list as it is known: by the list, by the ledger, by its end, else up to the highest row", () => {
    const rows = (): ReturnType<typeof fileRows> => fileRows([row(0), row(4)]);
    const list = { path: "l", tasks: 8, barriers: 1, others: [] };
    const of = (...more: readonly object[]) => auditOf(rows(), { section: sectionOf(...more) });
    expect(auditOf(rows(), { list }).total).toEqual({ ids: 9, by: "list" });
    expect(of(runEntry({ ids: 7 })).total).toEqual({ ids: 7, by: "ledger" });
    expect(of(runEntry(), ended("stopped", { ids: 6, listRead: true })).total).toEqual({
      ids: 6,
      by: "ledger",
    });
    expect(of(runEntry(), ended("stopped", { ids: 6, listRead: false })).total).toEqual({
      ids: 6,
      by: "highest",
    });
    expect(of(runEntry(), ended("finished")).total).toEqual({ ids: 5, by: "end" });
    const cut = of(runEntry(), ended("stopped"));
    expect(cut.total).toEqual({ ids: 5, by: "highest" });
    expect(cut.verdict.unfinished).toBe(true);
    expect([...cut.missing()]).toEqual([[1, 3]]);
  });

  it("is not content with a run that goes on, or of which there is no ledger", () => {
    const rows = fileRows([row(0)]);
    const known = section(ended("finished"));
    expect(auditOf(rows, { state: "atWork" }).verdict.unfinished).toBe(true);
    expect(auditOf(rows, { state: "unknown" }).verdict.unfinished).toBe(true);
    const ledger = { path: null, found: "missing", why: "", badLines: [] } as const;
    const list = { path: "l", tasks: 1, barriers: 0, others: [] };
    expect(auditOf(rows, { ledger, section: null, state: "unknown", list }).verdict.unfinished).toBe(true);
    expect(auditOf(rows, { section: known, state: "brokenOff", list }).verdict.unfinished).toBe(false);
  });

  it.each<[string, Damage["kind"], () => ReturnType<typeof auditOf>]>([
    [
      "lines that are no rows",
      "badLines",
      () => {
        const rows = fileRows([row(0)]);
        rows.addFault({ what: "zeros" }, 2);
        return auditOf(rows);
      },
    ],
    ["a second row of a task", "secondRows", () => auditOf(fileRows([row(0), row(0, { kind: "skipped" })]))],
    ["rows that contradict themselves", "oddRows", () => auditOf(fileRows([row(0, { elapsed: -1 })]))],
    [
      "a last line that was cut off after the end",
      "torn",
      () => {
        const rows = fileRows([row(0)]);
        rows.torn = { at: 2, id: 1 };
        return auditOf(rows);
      },
    ],
    [
      "rows that the ledger has counted and that are not there",
      "doneDiffers",
      () => auditOf(fileRows([row(0)]), { section: section(ended("finished", { done: 2 })) }),
    ],
    [
      "another length than at the end",
      "lengthDiffers",
      () => auditOf(fileRows([row(0)]), { section: section(ended("finished", { bytes: 2 })) }),
    ],
    [
      "rows of tasks that the list does not have",
      "beyondList",
      () =>
        auditOf(fileRows([row(0), row(7)]), { section: sectionOf(runEntry({ ids: 1 }), ended("finished")) }),
    ],
    [
      "rows marked as done before that no earlier file has",
      "skippedUnknown",
      () => auditOf(fileRows([row(0, { kind: "skipped" })])),
    ],
    [
      "rows that are not of the list",
      "otherTasks",
      () => auditOf(fileRows([row(0)]), { list: { path: "l", tasks: 1, barriers: 0, others: [[0, 0]] } }),
    ],
  ])("calls damaged: %s", (_, kind, make) => {
    const audit = make();
    expect(audit.damage.map((each) => each.kind)).toEqual([kind]);
    expect(audit.verdict.damaged).toBe(true);
  });

  it("knows that a disk that failed leaves fewer rows, and that a line may be torn where a driver was killed", () => {
    const fewer = auditOf(fileRows([row(0)]), { section: section(ended("broken", { done: 5 })) });
    expect(fewer.damage).toEqual([]);
    const rows = fileRows([row(0)]);
    rows.torn = { at: 2, id: 1 };
    expect(auditOf(rows, { section: section(), state: "brokenOff" }).damage).toEqual([]);
  });
});

describe("tasks that may have run more than once", () => {
  it("are those whose late attempt has a row too, and those that ran at once are told", () => {
    const rows = fileRows([
      row(0, { start: 10, finish: 20 }),
      row(1, { start: 10, finish: 20 }),
      row(0, { kind: "zombie", start: 5, finish: 13.5, returnCode: 1 }),
      row(1, { kind: "zombie", start: 1, finish: 10 }),
      row(2, { kind: "zombie" }),
    ]);
    const audit = auditOf(rows);
    expect([...audit.repeated()]).toMatchObject([
      { id: 0, certain: true, overlapSeconds: 3.5, late: [{ at: 3, returnCode: 1 }], begun: [] },
      { id: 1, certain: true, overlapSeconds: 0 },
    ]);
    expect(audit).toMatchObject({ repeatedCount: 2, overlapCount: 1 });
    // A late row is none that says how the task ended.
    expect([...audit.missing()]).toEqual([[2, 2]]);
  });

  it("are those that the ledger names and that have a row all the same", () => {
    const audit = auditOf(fileRows([row(0), row(1), row(2), row(3)]), {
      section: section(
        lost({ id: 0, attempt: 1 }, { id: 4, attempt: 1 }, { id: 3, attempt: 1 }),
        lost({ id: 0, attempt: 2 }, { id: 5, attempt: 1 }),
        {
          kind: "stoppedTasks",
          rank: 1,
          why: "TERM",
          tasks: [
            { id: 1, attempt: 1 },
            { id: 5, attempt: 2 },
          ],
        },
        { kind: "returned", tasks: [{ id: 3, attempt: 1 }] },
        ended("stopped", { ids: 6, listRead: true }),
      ),
    });
    expect([...audit.repeated()]).toMatchObject([
      { id: 0, certain: false, begun: [{ attempt: 1 }, { attempt: 2, loss: { why: "killed" } }] },
      { id: 1, certain: false, begun: [{ attempt: 1, loss: { kind: "stopped" } }] },
      { id: 5, certain: false, final: null },
    ]);
    expect([...audit.begunWithoutRow()].map(({ id }) => id)).toEqual([4, 5]);
  });

  it("are not those that were given up and could not be started again", () => {
    const audit = auditOf(
      fileRows([row(0, { pid: -1, returnCode: 7 }), row(1, { pid: -1, returnCode: -100 })]),
      {
        section: section(lost({ id: 0, attempt: 1 }, { id: 1, attempt: 1 }), ended("finished")),
      },
    );
    expect(audit.repeatedCount).toBe(0);
  });

  it("count a late attempt that the ledger names too as one", () => {
    const audit = auditOf(fileRows([row(0, { kind: "zombie" })]), {
      section: section(lost({ id: 0, attempt: 1 }), ended("stopped", { ids: 1, listRead: true })),
    });
    expect(audit.repeatedCount).toBe(0);
    expect(audit.verdict.unfinished).toBe(true);
  });
});

describe("tasks of a run that goes on from others", () => {
  it("may have begun in one that was killed: the next ones without a row, up to a barrier, and so many", () => {
    const past = new PastRuns();
    const before = fileRows([row(0), row(2)]);
    past.fold(
      { rows: before, section: section({ kind: "window", tasks: 6 }), state: "brokenOff" },
      (id) => id === 5,
    );
    const rows = [0, 2].map((id) => row(id, { kind: "skipped" }));
    const own = [1, 3, 4, 6].map((id) => row(id));
    const audit = auditOf(fileRows([...rows, ...own, row(5, { kind: "barrier" })]), { past });
    expect([...audit.repeated()]).toMatchObject([
      { id: 1, certain: false, past: { begun: 1, guessed: 1 } },
      { id: 3 },
      { id: 4 },
    ]);
    const small = new PastRuns();
    small.fold({ rows: before, section: section({ kind: "window", tasks: 2 }), state: "brokenOff" }, never);
    expect(auditOf(fileRows([...rows, ...own]), { past: small }).repeatedCount).toBe(2);
  });

  it("have not begun in one that ended softly, and only what is named in one that was stopped", () => {
    const fold = (...entries: readonly object[]): number => {
      const past = new PastRuns();
      past.fold({ rows: fileRows([row(0)]), section: section(...entries), state: "ended" }, never);
      return auditOf(fileRows([row(0, { kind: "skipped" }), row(1), row(2)]), { past }).repeatedCount;
    };
    expect(fold(ended("drained"))).toBe(0);
    expect(fold(ended("stopped"))).toBe(0);
    expect(fold(ended("broken"))).toBe(2);
    expect(fold({ kind: "stoppedTasks", tasks: [{ id: 2, attempt: 1 }] }, ended("stopped"))).toBe(1);
  });

  it("may run again after a failure, as asked, and that is told apart", () => {
    const past = new PastRuns();
    const failed = { returnCode: 1 };
    past.fold(
      {
        rows: fileRows([row(0, failed), row(1, failed), row(2)]),
        section: section(ended("finished")),
        state: "ended",
      },
      never,
    );
    past.fold(
      {
        rows: fileRows([row(0, failed), row(1, { ...failed, kind: "skipped" }), row(2, { kind: "skipped" })]),
        section: section(ended("finished")),
        state: "ended",
      },
      never,
    );
    const audit = auditOf(fileRows([row(0), row(1, { ...failed, kind: "skipped" }), row(2)]), { past });
    expect([...audit.runAgain()]).toEqual([0]);
    // It had ended well, and nobody asks for such a task to run again.
    expect([...audit.repeated()]).toMatchObject([{ id: 2, certain: true, past: { ended: 1, failed: 0 } }]);
    expect(audit.damage).toEqual([]);
  });

  it("ran twice in the earlier run, if they did", () => {
    const past = new PastRuns();
    const before = fileRows([row(0), row(0, { kind: "zombie" }), row(1)]);
    past.fold({ rows: before, section: section(ended("finished")), state: "ended" }, never);
    const audit = auditOf(fileRows([row(0, { kind: "skipped" }), row(1, { kind: "skipped" })]), { past });
    expect([...audit.repeated()]).toMatchObject([{ id: 0, certain: true, final: null, past: { ended: 2 } }]);
  });

  it("had a row that was being written when a driver was killed", () => {
    const past = new PastRuns();
    const before = fileRows([]);
    before.torn = { at: 1, id: 0 };
    past.fold({ rows: before, section: section({ kind: "window", tasks: 1 }), state: "brokenOff" }, never);
    expect([...auditOf(fileRows([row(0)]), { past }).repeated()]).toMatchObject([
      { id: 0, past: { begun: 1, guessed: 0 } },
    ]);
  });
});
