import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TaskTable } from "../../src/core/task-table.js";

describe("TaskTable", () => {
  it("does what a map does", () => {
    const id = fc.oneof(
      fc.nat(5),
      fc.constantFrom(1_023, 1_024, 1_025, 5_000_000_000, Number.MAX_SAFE_INTEGER),
    );
    const step = fc.tuple(fc.constantFrom("set" as const, "delete" as const), id, fc.nat());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const [table, map] = [new TaskTable<number>(), new Map<number, number>()];
        for (const [what, key, value] of steps) {
          if (what === "set") {
            table.set(key, value);
            map.set(key, value);
          } else expect(table.delete(key)).toBe(map.delete(key));
          expect([table.size, table.has(key), table.get(key)]).toEqual([
            map.size,
            map.has(key),
            map.get(key),
          ]);
        }
        for (const [key, value] of map) expect(table.get(key)).toBe(value);
      }),
    );
  });

  it("lets go of what is deleted, though one stays for long", () => {
    const table = new TaskTable<object>();
    table.set(0, {});
    for (let id = 1; id < 100_000; id++) {
      table.set(id, { id });
      if (id > 50) table.delete(id - 50);
    }
    expect([table.size, table.has(0), table.has(99_999), table.has(50_000)]).toEqual([51, true, true, false]);
  });
});
