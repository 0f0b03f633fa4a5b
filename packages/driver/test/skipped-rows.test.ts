import { truncateSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FoundRow } from "../src/core/resume-index.js";
import { type StatusRow, formatRow, formatRows, parseRow } from "../src/core/status-line/index.js";
import { ResumeFiles } from "../src/resume.js";
import { SkippedRows } from "../src/skipped-rows.js";
import { usePlace } from "./place.js";
import { row } from "./rows.js";

const path = usePlace();
let files: ResumeFiles;
let handed: Buffer[];
let skipped: SkippedRows;

beforeEach(() => {
  handed = [];
});

afterEach(() => files.close());

async function resume(...earlier: readonly (readonly StatusRow[])[]): Promise<void> {
  const paths = earlier.map((rows, index) => {
    writeFileSync(path(`s${index}`), formatRows(rows));
    return path(`s${index}`);
  });
  files = await ResumeFiles.open(paths);
  skipped = new SkippedRows(files, ({ lines, release }) => {
    handed.push(Buffer.from(lines));
    // Every other one is used anew.
    if (handed.length % 2 === 0) release();
  });
}

function found(id: number): FoundRow {
  const there = files.index.find(id);
  if (there === null) throw new Error(`no row of ${id}`);
  return there;
}

async function add(...ids: readonly number[]): Promise<void> {
  for (const id of ids) await skipped.add(found(id));
}

const ids = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe("SkippedRows", () => {
  it("hands on each row as it was but for its flag, in the order in which they were added", async () => {
    const rows = [
      row(0, { returnCode: 3 }),
      row(1),
      row(2, { kind: "timedOut" }),
      row(3, { kind: "skipped" }),
      row(4),
    ];
    await resume(rows);
    await add(0, 1, 3, 2, 4);
    expect(handed).toEqual([]);
    skipped.flush();
    const expected = [0, 1, 3, 2, 4].map((id) => formatRow({ ...row(id), ...rows[id], kind: "skipped" }));
    expect(handed.map(String)).toEqual([String(Buffer.concat(expected))]);
    skipped.flush();
    expect(handed).toHaveLength(1);
  });

  it("takes rows of several files in turn, and keeps what it handed on as it was", async () => {
    const count = 20_000;
    await resume(
      ids(0, count)
        .filter((id) => id % 2 === 0)
        .map((id) => row(id)),
      ids(0, count)
        .filter((id) => id % 2 === 1)
        .toReversed()
        .map((id) => row(id, { node: "other" })),
    );
    for (const id of ids(0, count)) {
      await add(id);
      if (skipped.isMuch) skipped.flush();
    }
    skipped.flush();
    expect(handed.length).toBeGreaterThan(1);
    const lines = Buffer.concat(handed).toString().trimEnd().split("\n");
    expect(lines).toHaveLength(count);
    for (const [id, line] of lines.entries()) {
      const node = id % 2 === 1 ? "other" : "vm";
      expect(parseRow(Buffer.from(line))).toMatchObject({ id, kind: "skipped", node });
    }
  });

  it("refuses a file that has changed since", async () => {
    await resume(ids(0, 10).map((id) => row(id)));
    truncateSync(path("s0"), found(5).offset);
    await add(0, 4);
    await expect(skipped.add(found(5))).rejects.toThrow("has changed since this run began");
  });
});
