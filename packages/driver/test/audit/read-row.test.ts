import { taskId } from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { identityOf } from "../../src/core/row-scanner.js";
import { scanLine } from "../scan-line.js";
import {
  type StatusRow,
  commandColumn,
  formatRow,
  parseRow,
  statusHeader,
} from "../../src/core/status-line/index.js";
import { type AuditRow, type RowFault, contradictionOf } from "../../src/core/audit/audit-row.js";
import { idOfTorn, isHeader, readRow } from "../../src/audit/read-row.js";
import { anyRow, row } from "../core/status-line/rows.js";

/** The line without its end. */
function lineOf(changes: Partial<StatusRow> = {}): Buffer {
  return formatRow(row(changes)).subarray(0, -1);
}

function rowOf(line: Buffer): AuditRow {
  const found = readRow(line, true);
  if ("what" in found) throw new Error(`not a row: ${JSON.stringify(found)}`);
  return found;
}

const sensible = anyRow.map((each) => ({ ...each, id: taskId(each.id % 1_000_000_000) }));

describe("readRow", () => {
  it("reads back what is written", () => {
    fc.assert(
      fc.property(sensible, (written) => {
        expect(rowOf(formatRow(written).subarray(0, -1))).toEqual({
          kind: written.kind,
          id: written.id,
          line: written.line,
          pid: written.pid,
          returnCode: written.returnCode,
          elapsed: written.elapsed,
          start: written.start,
          finish: written.finish,
          flagsAgree: true,
          identity: identityOf(written.line, written.repeatIndex, commandColumn(written.command)),
        });
      }),
    );
  });

  it("takes for a row what a resume takes for one, and nothing else", () => {
    const damaged = fc
      .tuple(sensible, fc.nat(), fc.constantFrom(...Array.from("\t\0 -.'\"0R9PSZ")))
      .map(([each, at, character]) => {
        const line = Buffer.from(formatRow(each).subarray(0, -1));
        // Mostly in what comes before the command, where it matters.
        line.write(character, at % Math.min(line.length, 120), "latin1");
        return line;
      });
    fc.assert(
      fc.property(damaged, (line) => {
        const found = readRow(line, true);
        const byResume = scanLine(line);
        expect("what" in found).toBe(byResume.kind === "bad");
        if ("what" in found) return;
        expect(parseRow(line)).toMatchObject({ id: found.id, returnCode: found.returnCode });
        if (byResume.kind === "row") expect(byResume.row.identity).toBe(found.identity);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, string, RowFault]>([
    ["an empty line", "", { what: "columns", found: 1 }],
    ["a line of something else", "Call me Ishmael.", { what: "columns", found: 1 }],
    ["columns with blanks", lineOf().toString().replaceAll("\t", " "), { what: "columns", found: 1 }],
    [
      "a line without its end",
      lineOf().toString().split("\t").slice(0, 9).join("\t"),
      { what: "columns", found: 9 },
    ],
    ["a line without its beginning", lineOf().toString().slice(2), { what: "column", name: "ROE[ PSZ]" }],
    [
      "an id that is no number",
      lineOf().toString().replace("\t0\t", "\tx\t"),
      { what: "column", name: "TaskID" },
    ],
    [
      "an id that no list reaches",
      lineOf({ id: taskId(1_000_000_001) }).toString(),
      { what: "column", name: "TaskID" },
    ],
    [
      "an elapsed without decimals",
      lineOf({ elapsed: 7 }).toString().replace("7.000", "7"),
      { what: "column", name: "Elapsed" },
    ],
    [
      "a snippet without quotes",
      lineOf().toString().replace("''", "'"),
      { what: "column", name: "OutputSnippet" },
    ],
    ["a block that was never written", "\0".repeat(200), { what: "zeros" }],
    ["such a block before a row", `${"\0".repeat(9)}${lineOf().toString()}`, { what: "zeros" }],
  ])("says why %s is no row", (_, line, fault) => {
    expect(readRow(Buffer.from(line, "latin1"), false)).toEqual(fault);
  });

  it("knows the header, which is no row", () => {
    expect(isHeader(Buffer.from(statusHeader))).toBe(true);
    expect(isHeader(lineOf())).toBe(false);
    expect(readRow(Buffer.from(statusHeader), false)).toHaveProperty("what");
  });

  it("tells of a torn row whose it is, when the whole id is there", () => {
    const line = lineOf({ id: taskId(1234) });
    expect(idOfTorn(line.subarray(0, "    \t1234\t".length))).toBe(1234);
    expect(idOfTorn(line.subarray(0, "    \t1234".length))).toBeNull();
    expect(idOfTorn(lineOf({ kind: "perEngine" }))).toBeNull();
    expect(idOfTorn(lineOf({ kind: "barrier", id: taskId(7) }))).toBe(7);
  });
});

describe("contradictionOf", () => {
  const good = rowOf(lineOf({ start: 100, finish: 110, elapsed: 10 }));

  it("finds nothing in a row whose columns fit", () => {
    expect(contradictionOf(good)).toBeNull();
  });

  it("lets clocks be adjusted a little, and machines sleep", () => {
    expect(contradictionOf({ ...good, finish: 109.5 })).toBeNull();
    expect(contradictionOf({ ...good, finish: 5000 })).toBeNull();
  });

  it.each([
    ["an end before the start", { finish: 90 }, "times"],
    ["an elapsed that is longer than from start to finish", { elapsed: 60 }, "times"],
    ["a negative elapsed", { elapsed: -1 }, "negative"],
    ["flags that say otherwise", { flagsAgree: false }, "flags"],
  ])("finds %s", (_, change, found) => {
    expect(contradictionOf({ ...good, ...change })).toBe(found);
  });

  it.each([
    ["R   \t0\t9\t-1\tvm\t28591\t0\t0.005\t1.000\t1.005\t0\t''\t0\t''\ttrue"],
    ["    \t0\t9\t-1\tvm\t28591\t3\t0.005\t1.000\t1.005\t0\t''\t0\t''\ttrue"],
    ["    \t0\t9\t-1\tvm\t28591\t0\t0.005\t1.000\t1.005\t5\t'12345'\t0\t''\ttrue"],
    ["  E \t0\t9\t-1\tvm\t28591\t0\t0.005\t1.000\t1.005\t0\t''\t0\t''\ttrue"],
  ])("reads flags that do not agree: %s", (line) => {
    expect(rowOf(Buffer.from(line)).flagsAgree).toBe(false);
  });
});
