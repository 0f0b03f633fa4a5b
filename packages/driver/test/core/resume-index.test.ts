import { taskId } from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ResumeIndex, type ScannedRow } from "../../src/core/resume-index.js";
import { identityOf } from "../../src/core/row-scanner.js";
import { scanLine } from "../scan-line.js";
import {
  type RowKind,
  type StatusRow,
  commandColumn,
  formatRow,
  parseRow,
  statusHeader,
} from "../../src/core/status-line/index.js";
import { row, rowKinds } from "./status-line/rows.js";

const sample = row({
  id: taskId(7),
  line: 8,
  elapsed: 1.5,
  start: 1000.25,
  finish: 1001.75,
  command: Buffer.from("echo a"),
});

/** The line without its end, as the scan sees it. */
function lineOf(more: Partial<StatusRow> = {}): Buffer {
  return formatRow({ ...sample, ...more }).subarray(0, -1);
}

function scanned(id: number, returnCode: number, finish: number, identity = 0): ScannedRow {
  return { id, returnCode, finish, identity };
}

/** Of rows that a resume looks at. */
const countedKinds: readonly (RowKind | undefined)[] = ["task", "timedOut", "skipped"];

describe("scanLine", () => {
  it("reads what a resume needs of a task's row, and of one that was skipped before", () => {
    for (const kind of ["task", "skipped"] as const) {
      expect(scanLine(lineOf({ kind, returnCode: -9, repeatIndex: 3 }))).toEqual({
        kind: "row",
        row: { id: 7, returnCode: -9, finish: 1001.75, identity: identityOf(8, 3, Buffer.from("echo a")) },
      });
    }
  });

  it("passes over barriers, PERENGINE rows, late rows and the header", () => {
    const kinds: readonly RowKind[] = ["barrier", "checkBarrier", "perEngine", "zombie"];
    for (const kind of kinds) expect(scanLine(lineOf({ kind }))).toEqual({ kind: "other" });
    expect(scanLine(Buffer.from(statusHeader))).toEqual({ kind: "other" });
  });

  it.each([
    ["", "an empty line"],
    ["Call me Ishmael.", "words"],
    ["    \t1\t2\t-1\tvm\t1", "a torn line"],
    ["    " + "\t".repeat(14) + "true", "columns without numbers"],
    ["\t".repeat(30), "tabs"],
    [lineOf().toString().replace("    \t", "   X\t"), "an unknown flag"],
    [lineOf().toString().replace("    \t", "     \t"), "five blanks"],
    [lineOf().toString().replace("\t7\t", "\t0x7\t"), "an id that is no decimal number"],
    [lineOf().toString().replace("\t7\t", "\t-7\t"), "an id below 0"],
    [lineOf().toString().replace("\t7\t", "\t1000000001\t"), "an id that no list has reached"],
    [lineOf().toString().replace("\t1001.750\t", "\tnan\t"), "a time that is none"],
    [lineOf().toString().replace("\t0\t1.500", "\t4294967296\t1.500"), "a return code that is none"],
  ])("says of %j (%s) that it is no row", (text) => {
    expect(scanLine(Buffer.from(text))).toEqual({ kind: "bad" });
  });

  it("finds the command behind the 14th tab, whatever tabs it holds", () => {
    const command = Buffer.from("\ta\tb\t");
    const line = scanLine(lineOf({ command }));
    expect(line).toMatchObject({ kind: "row", row: { identity: identityOf(8, -1, command) } });
  });

  it("agrees with parseRow on every row that is written, and on every one that was damaged", () => {
    const command = fc.uint8Array({ minLength: 1, maxLength: 12 }).filter((bytes) => !bytes.includes(10));
    const kind = fc.constantFrom(...rowKinds);
    const numbers = fc.record({
      id: fc.nat(1_000_000).map(taskId),
      line: fc.nat(),
      returnCode: fc.integer({ min: -100, max: 255 }),
    });
    const text = fc.constantFrom("''", "'é…\\n'", '"it\'s"', "'a'b'");
    const damage = fc.option(fc.tuple(fc.nat(70), fc.constantFrom(0x09, 0x20, 0x2d, 0x30, 0x78, 0xff)));
    fc.assert(
      fc.property(kind, numbers, command, text, damage, (rowKind, more, bytes, snippet, change) => {
        const line = lineOf({ kind: rowKind, ...more, command: bytes, outSnippet: snippet });
        if (change !== null) line[change[0]] = change[1];
        const scan = scanLine(line);
        const parsed = parseRow(line);
        if (change === null) expect(scan.kind).toBe(countedKinds.includes(rowKind) ? "row" : "other");
        if (scan.kind !== "row") return;
        expect(parsed).toMatchObject({
          id: scan.row.id,
          returnCode: scan.row.returnCode,
          finish: scan.row.finish,
        });
        expect(countedKinds).toContain(parsed?.kind);
        if (parsed === null || change !== null) return;
        const column = commandColumn(parsed.command);
        expect(scan.row.identity).toBe(identityOf(parsed.line, parsed.repeatIndex, column));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("identityOf", () => {
  it("differs when line, repeat index or command do", () => {
    const command = Buffer.from("echo a");
    const identities = [
      identityOf(1, -1, command),
      identityOf(2, -1, command),
      identityOf(1, 0, command),
      identityOf(0, 1, command),
      identityOf(1, 1, command),
      identityOf(1, -1, Buffer.from("echo b")),
      identityOf(1, -1, Buffer.from("echo ")),
      identityOf(1, -1, Buffer.from("")),
    ];
    expect(new Set(identities).size).toBe(identities.length);
  });
});

describe("ResumeIndex", () => {
  const at = (file: number) => [file, 10 * file, 5] as const;

  function kept(...rows: readonly ScannedRow[]): number | undefined {
    const index = new ResumeIndex();
    for (const [file, each] of rows.entries()) index.add(each, ...at(file));
    return index.find(3)?.file;
  }

  it("knows nothing of ids that it was not told", () => {
    const index = new ResumeIndex();
    expect(index.find(0)).toBeNull();
    index.add(scanned(70_000, 1, 5, 99), ...at(2));
    expect(index.find(69_999)).toBeNull();
    expect(index.find(4464)).toBeNull();
    expect(index.find(70_000)).toEqual({
      id: 70_000,
      file: 2,
      offset: 20,
      length: 5,
      returnCode: 1,
      identity: 99,
    });
    expect(index.count).toBe(1);
  });

  it("keeps a success against any failure, before and after it, newer or older", () => {
    for (const failure of [1, -9, -100]) {
      for (const finish of [1, 9]) {
        expect(kept(scanned(3, 0, 5), scanned(3, failure, finish))).toBe(0);
        expect(kept(scanned(3, failure, finish), scanned(3, 0, 5))).toBe(1);
      }
    }
  });

  it("keeps the newest of several failures, and of several successes; of equals the last one told", () => {
    for (const codes of [
      [1, 2],
      [-9, 1],
      [0, 0],
    ] as const) {
      expect(kept(scanned(3, codes[0], 5), scanned(3, codes[1], 6))).toBe(1);
      expect(kept(scanned(3, codes[0], 6), scanned(3, codes[1], 5))).toBe(0);
      expect(kept(scanned(3, codes[0], 5), scanned(3, codes[1], 5))).toBe(1);
    }
  });

  it("does not care about the order in which it is told, but for equals", () => {
    const rows = fc.uniqueArray(fc.tuple(fc.nat(5), fc.constantFrom(0, 1, -9), fc.nat(1000)), {
      selector: ([, , finish]) => finish,
    });
    fc.assert(
      fc.property(rows, (told) => {
        const [one, other] = [new ResumeIndex(), new ResumeIndex()];
        for (const [id, code, finish] of told) one.add(scanned(id, code, finish), ...at(finish));
        for (const [id, code, finish] of told.toReversed())
          other.add(scanned(id, code, finish), ...at(finish));
        expect(one.count).toBe(new Set(told.map(([id]) => id)).size);
        for (let id = 0; id <= 5; id++) expect(one.find(id)).toEqual(other.find(id));
      }),
    );
  });

  it("costs little for one id far out", () => {
    const before = process.memoryUsage().arrayBuffers;
    const index = new ResumeIndex();
    index.add(scanned(999_999_999, 0, 1), ...at(0));
    expect(index.find(999_999_999)).not.toBeNull();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(10_000_000);
  });
});
