import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuditRow } from "../../src/core/audit/audit-row.js";
import { PastRuns } from "../../src/core/audit/past-runs.js";
import { auditOf, ended, fileRows, lost, row, section } from "./made-up.js";

/** One task of a run: how often an engine was lost with it, how many of those came back late, and how it ended. */
const anyTask = fc.record({
  losses: fc.nat({ max: 3 }),
  late: fc.nat({ max: 3 }),
  end: fc.constantFrom("none", "well", "failed", "barrier"),
});
type Task = { losses: number; late: number; end: "none" | "well" | "failed" | "barrier" };

const anyRun = fc
  .array(
    anyTask.map((task): Task => {
      if (task.end === "barrier") return { losses: 0, late: 0, end: "barrier" };
      return { ...task, late: Math.min(task.late, task.losses) };
    }),
    { maxLength: 30 },
  )
  .chain((tasks) => {
    const rows = tasks.flatMap((task, id) => rowsOf(task, id));
    return fc.record({
      tasks: fc.constant(tasks),
      rows: fc.shuffledSubarray(rows, { minLength: rows.length }),
    });
  });

function rowsOf(task: Task, id: number): readonly AuditRow[] {
  const late = Array.from({ length: task.late }, () => row(id, { kind: "zombie" }));
  if (task.end === "none") return late;
  if (task.end === "barrier") return [row(id, { kind: "barrier" })];
  return [...late, row(id, { returnCode: task.end === "failed" ? 1 : 0 })];
}

function lossesOf(tasks: readonly Task[]): readonly object[] {
  return tasks.flatMap(({ losses }, id) =>
    Array.from({ length: losses }, (_, attempt) => lost({ id, attempt: attempt + 1 })),
  );
}

function idsWhere(tasks: readonly Task[], is: (task: Task) => boolean): readonly number[] {
  return tasks.flatMap((task, id) => (is(task) ? [id] : []));
}

function flat(ranges: Iterable<readonly [number, number]>): readonly number[] {
  return [...ranges].flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, n) => first + n),
  );
}

const hasRan = ({ end }: Task): boolean => end === "well" || end === "failed";

describe("an audit of any run", () => {
  it("puts every id into exactly one class, whatever the order of the rows", () => {
    fc.assert(
      fc.property(anyRun, ({ tasks, rows }) => {
        const audit = auditOf(fileRows(rows), {
          section: section(...lossesOf(tasks), ended("stopped", { ids: tasks.length, listRead: true })),
        });
        expect(flat(audit.missing())).toEqual(idsWhere(tasks, ({ end }) => end === "none"));
        expect(flat(audit.succeeded(false))).toEqual(idsWhere(tasks, ({ end }) => end === "well"));
        expect(flat(audit.failed(false))).toEqual(idsWhere(tasks, ({ end }) => end === "failed"));
        expect(flat(audit.barriers())).toEqual(idsWhere(tasks, ({ end }) => end === "barrier"));
        expect(audit.missingCount).toBe(idsWhere(tasks, ({ end }) => end === "none").length);
        expect(audit.verdict.unfinished).toBe(tasks.some(({ end }) => end === "none"));
        expect(audit.damage).toEqual([]);
      }),
    );
  });

  it("names exactly the tasks of which two attempts may have begun", () => {
    fc.assert(
      fc.property(anyRun, ({ tasks, rows }) => {
        const audit = auditOf(fileRows(rows), {
          section: section(...lossesOf(tasks), ended("stopped", { ids: tasks.length, listRead: true })),
        });
        const twice = idsWhere(tasks, (task) => task.losses + (hasRan(task) ? 1 : 0) > 1);
        const certain = idsWhere(tasks, (task) => task.late + (hasRan(task) ? 1 : 0) > 1);
        expect([...audit.repeated()].map(({ id }) => id)).toEqual(twice);
        expect([...audit.repeated()].filter((each) => each.certain).map(({ id }) => id)).toEqual(certain);
        expect([...audit.begunWithoutRow()].map(({ id }) => id)).toEqual(
          idsWhere(tasks, ({ end, losses }) => end === "none" && losses > 0),
        );
      }),
    );
  });

  it("finds every row that was taken away or doubled", () => {
    fc.assert(
      fc.property(anyRun, fc.nat(), fc.boolean(), ({ tasks, rows }, which, isDoubled) => {
        const finals = rows.filter(({ kind }) => kind === "task");
        const victim = finals[which % Math.max(1, finals.length)];
        fc.pre(victim !== undefined);
        if (victim === undefined) return;
        const changed = isDoubled ? [...rows, victim] : rows.filter((each) => each !== victim);
        const audit = auditOf(fileRows(changed), {
          section: section(
            ...lossesOf(tasks),
            ended("stopped", { ids: tasks.length, listRead: true, done: finals.length }),
          ),
        });
        expect(audit.verdict.damaged).toBe(true);
        expect([...audit.secondRows()].map(({ id }) => id)).toEqual(isDoubled ? [victim.id] : []);
        if (!isDoubled) expect(flat(audit.missing())).toContain(victim.id);
      }),
    );
  });

  it("says of a run and the one that goes on from it what it would say of one run that had done both", () => {
    fc.assert(
      fc.property(anyRun, ({ tasks, rows }) => {
        const end = ended("stopped", { ids: tasks.length, listRead: true });
        const past = new PastRuns();
        past.fold(
          { rows: fileRows(rows), section: section(...lossesOf(tasks), end), state: "ended" },
          () => false,
        );
        // What had no row runs now; failed tasks do not.
        const resumed = tasks.map((task, id): AuditRow => {
          if (task.end === "barrier") return row(id, { kind: "barrier" });
          if (task.end === "none") return row(id);
          return row(id, { kind: "skipped", returnCode: task.end === "failed" ? 1 : 0 });
        });
        const audit = auditOf(fileRows(resumed), { past, section: section(ended("finished")) });
        expect([...audit.repeated()].map(({ id }) => id)).toEqual(
          idsWhere(tasks, ({ end: how, losses }) => how !== "barrier" && losses + 1 > 1),
        );
        expect(audit.verdict).toMatchObject({ unfinished: false, damaged: false });
      }),
    );
  });
});
