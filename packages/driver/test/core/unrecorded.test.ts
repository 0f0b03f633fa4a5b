import { describe, expect, it } from "vitest";
import { formatRow, statusHeader } from "../../src/core/status-line/index.js";
import { idsOfRows, rangesOf } from "../../src/core/unrecorded.js";
import { row } from "../rows.js";

describe("idsOfRows", () => {
  it("tells whose own ends are among the rows", () => {
    const kinds = ["task", "skipped", "zombie", "perEngine", "barrier", "checkBarrier", "task"] as const;
    const rows = kinds.map((kind, id) => formatRow(row(id, { kind, returnCode: id })));
    const lines = Buffer.concat([Buffer.from(`${statusHeader}\n`), ...rows, Buffer.from("    \t9\t")]);
    expect([...idsOfRows(lines)]).toEqual([0, 6]);
    expect([...idsOfRows(Buffer.alloc(0))]).toEqual([]);
  });
});

describe("rangesOf", () => {
  it("puts neighbours together, in any order and once", () => {
    expect(rangesOf([])).toEqual([]);
    expect(rangesOf([5, 3, 4, 9, 4, 11, 10])).toEqual([
      [3, 5],
      [9, 11],
    ]);
  });
});
