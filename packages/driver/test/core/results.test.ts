import { describe, expect, it } from "vitest";
import { Results } from "../../src/core/results.js";
import { formatRow, statusRows } from "../../src/core/status-line/index.js";
import { row } from "../rows.js";

const words = Buffer.from("oh no");

function fresh(): Results {
  return new Results({ node: "login", pid: 42 });
}

const kinds = (results: Results): readonly string[] =>
  [...statusRows(results.takeRows())].map(({ kind, id }) => `${kind} ${id}`);

describe("results", () => {
  it("are one final row for each task, however often it is told, and are counted", () => {
    const results = fresh();
    expect([results.end(row(0), words), results.end(row(1, { returnCode: 1 }), words)]).toEqual([true, true]);
    expect(results.end(row(0, { returnCode: 1 }), words)).toBe(false);
    expect([results.has(0), results.has(2), results.count]).toEqual([true, false, 2]);
    expect([kinds(results), kinds(results)]).toEqual([["task 0", "task 1"], []]);
    expect(results.counts).toMatchObject({ done: 2, failed: 1, failures: [{ id: 1, lastWords: words }] });
  });

  it("of an earlier run are counted apart, and so are losses and retries", () => {
    const results = fresh();
    results.skipped(0, 3);
    const lines = formatRow(row(0, { kind: "skipped", returnCode: 3 }));
    results.copied({ kind: "copied", lines, release: () => undefined });
    results.lostOnce();
    results.retriedOnce();
    expect([results.has(0), kinds(results)]).toEqual([true, ["skipped 0"]]);
    expect(results.counts).toMatchObject({ done: 0, skipped: 1, skippedFailed: 1, lost: 1, retried: 1 });
  });

  it("know what a driver before has written, and tell whether that is news", () => {
    const results = fresh();
    const past = ["task", "skipped", "barrier", "checkBarrier", "perEngine", "zombie"] as const;
    expect(past.map((kind, id) => results.addPast(row(id, { kind }), false))).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
    ]);
    expect(past.map((kind, id) => results.addPast(row(id, { kind }), false))).toEqual([
      false,
      false,
      false,
      false,
      true,
      false,
    ]);
    expect(past.map((_, id) => results.has(id))).toEqual([true, true, true, true, false, false]);
    expect([results.count, kinds(results)]).toEqual([4, []]);
    expect(results.counts).toMatchObject({ done: 1, skipped: 1 });
  });

  it("write no row again that a driver before has written, where its report may come once more", () => {
    const results = fresh();
    for (const [id, kind] of (["perEngine", "zombie", "task"] as const).entries())
      results.addPast(row(id, { kind }), kind === "task");
    expect(results.perEngine(row(0, { kind: "perEngine" }), words)).toBe(false);
    results.late(row(1, { kind: "zombie" }));
    results.late(row(2, { kind: "zombie" }));
    expect(kinds(results)).toEqual([]);
    expect(results.perEngine(row(0, { kind: "perEngine", pid: 7 }), words)).toBe(true);
    results.late(row(1, { kind: "zombie", pid: 7 }));
    expect(kinds(results)).toEqual(["perEngine 0", "zombie 1"]);
  });
});
