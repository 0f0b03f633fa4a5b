import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NumberRows } from "../../src/core/audit/number-rows.js";
import { type FinalRow, TaskTable, bit, countOf, finalBits } from "../../src/core/audit/task-table.js";

const some: Omit<FinalRow, "at" | "timedOut"> = { line: 1, returnCode: 0, start: 1, finish: 2, identity: 3 };
/** Near each other, on both sides of a page's end, and far away. */
const anyId = fc.oneof(
  fc.nat({ max: 40 }),
  fc.integer({ min: 4090, max: 4100 }),
  fc.constantFrom(20_000, 999_999_999),
);

describe("TaskTable", () => {
  it("keeps the first final row of each id, and counts", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyId, fc.integer({ min: -100, max: 255 }))), (rows) => {
        const table = new TaskTable();
        const first = new Map<number, FinalRow>();
        for (const [index, [id, returnCode]] of rows.entries()) {
          const isFirst = table.setFinal(id, bit.task, { ...some, returnCode }, index + 1);
          expect(isFirst).toBe(!first.has(id));
          if (isFirst) first.set(id, { ...some, returnCode, timedOut: false, at: index + 1 });
        }
        expect(table.highest).toBe(Math.max(-1, ...first.keys()));
        for (const [id, row] of first) expect(table.final(id)).toEqual(row);
        expect([...table.ids((bits) => bits !== 0)]).toEqual([...first.keys()].toSorted((a, b) => a - b));
        expect(table.final(41)).toBeNull();
      }),
    );
  });

  it("tells ranges as if each id were looked at, also of ids of which nothing is known", () => {
    fc.assert(
      fc.property(
        fc.array(anyId.filter((id) => id <= 20_000)),
        fc.nat({ max: 21_000 }),
        fc.boolean(),
        (ids, end, present) => {
          const table = new TaskTable();
          for (const id of ids) table.mark(id, bit.task);
          const wanted = (bits: number): boolean => ((bits & finalBits) !== 0) === present;
          const expected = Array.from({ length: end }, (_, id) => id).filter((id) =>
            wanted(ids.includes(id) ? bit.task : 0),
          );
          const ranges = [...table.ranges(end, wanted)];
          expect(
            ranges.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, n) => first + n)),
          ).toEqual(expected);
          expect(countOf(ranges)).toBe(expected.length);
          // No two of them touch.
          for (const [index, [first]] of ranges.entries()) {
            expect(first).toBeGreaterThan((ranges[index - 1]?.[1] ?? -2) + 1);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("TaskTable.ranges", () => {
  it("ends a range where ids begin of which nothing is known", () => {
    const table = new TaskTable();
    for (const id of [4094, 4095, 12_288]) table.mark(id, bit.task);
    expect([...table.ranges(20_000, (bits) => bits !== 0)]).toEqual([
      [4094, 4095],
      [12_288, 12_288],
    ]);
    expect([...table.ranges(20_000, (bits) => bits === 0)]).toEqual([
      [0, 4093],
      [4096, 12_287],
      [12_289, 19_999],
    ]);
  });
});

describe("NumberRows", () => {
  it("keeps rows as they come, and orders them", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 9 }), fc.double({ noNaN: true }))), (rows) => {
        const kept = new NumberRows(2);
        for (const row of rows) kept.push(...row);
        expect(kept.length).toBe(rows.length);
        expect(rows.map((_, at) => [kept.at(at, 0), kept.at(at, 1)])).toEqual(rows);
        expect([...kept.orderedBy(0)].map((at) => rows[at])).toEqual(rows.toSorted((a, b) => a[0] - b[0]));
        expect(kept.at(rows.length, 0)).toBe(0);
      }),
    );
  });
});
