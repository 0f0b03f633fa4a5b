import { chooseSection } from "../../../packages/driver/src/core/audit/choose-section.js";
import { FileRows } from "../../../packages/driver/src/core/audit/file-rows.js";
import { parseLedger } from "../../../packages/driver/src/core/audit/ledger.js";
import { readRow } from "../../../packages/driver/src/audit/read-row.js";
import { scanLine } from "../../../packages/driver/test/scan-line.js";
import { formatRow } from "../../../packages/driver/src/core/status-line/index.js";
import { type Target, must, mustEqual } from "../target.js";
import { rowWords, rows } from "./samples.js";

const entries = [
  '{"kind":"run","version":2,"runId":"abcdefgh","at":"2026-11-21T00:00:00.000Z","host":"h","pid":1,"cwd":"/","taskFile":"t","resumedFrom":["a_status.txt"],"setAside":null,"ids":3}',
  '{"kind":"epoch","at":"2026-11-21T00:00:00.000Z","token":1}',
  '{"kind":"lostEngine","at":"","engine":"abcdefgh","rank":0,"why":"lease","tasks":[{"id":1,"attempt":1}]}',
  '{"kind":"stoppedTasks","at":"","lost":true,"tasks":[{"id":2,"attempt":1}]}',
  '{"kind":"returned","tasks":[{"id":2,"attempt":1}]}',
  '{"kind":"window","tasks":500}',
  '{"kind":"end","at":"2026-11-21T00:00:01.000Z","reason":"finished","done":2,"ids":3,"listRead":true,"bytes":300}',
  '{"kind":"run","version":1,"setAside":"/x/run_status_1.txt"}',
];

/** All that a ledger says, whoever wrote it. */
export const wholeLedgers: Target = {
  name: "whole-ledger",
  seeds: () => [Buffer.from(`${entries.join("\n")}\n`), Buffer.from(`{"kind":"en${entries.join("\n")}`)],
  words: ["\n", '{"kind":"', '"tasks":[', "1e999", "null", "[", "{", '"__proto__":', '"setAside":"a"'],
  mostBytes: 16_384,
  check: (bytes) => {
    const text = bytes.toString("utf8");
    const ledger = parseLedger(text);
    const lines = text.split("\n").length - 1;
    must(
      ledger.badLines.every((line) => line >= 1 && line <= lines),
      "a bad line is a line",
    );
    must(ledger.sections.length <= lines, "a section has an entry");
    for (const { losses, end } of ledger.sections) {
      const numbers = [
        end?.done,
        end?.ids,
        end?.bytes,
        ...losses.flatMap(({ tasks }) => tasks.map(({ id }) => id)),
      ];
      must(
        numbers.every(
          (number) =>
            number === null || number === undefined || (Number.isSafeInteger(number) && number >= 0),
        ),
        "a number of something is one",
      );
    }
    const name = "run_status_1.txt";
    const chosen = chooseSection(ledger, { name, span: { first: 0, last: 2e9 }, driverPids: new Set([1]) });
    must(chosen === null || ledger.sections.includes(chosen.section), "what is chosen is there");
  },
};

/** A status file, as an audit reads it. */
export const auditedRows: Target = {
  name: "audited-rows",
  seeds: () => [Buffer.concat(rows.map((row) => formatRow(row))), ...rows.map((row) => formatRow(row))],
  words: [...rowWords, "\n", "\0", "\t1000000000\t"],
  mostBytes: 16_384,
  check: (bytes) => {
    const all = new FileRows();
    for (let from = 0, at = 1; from < bytes.length; at++) {
      const end = bytes.indexOf("\n", from);
      const line = bytes.subarray(from, end === -1 ? bytes.length : end);
      from += line.length + 1;
      const row = readRow(line, true);
      if ("what" in row) {
        all.addFault(row, at);
        continue;
      }
      all.addRow(row, at);
      const scanned = scanLine(line);
      must(scanned.kind !== "bad", "what an audit takes for a row a resume does too");
      if (scanned.kind !== "row") continue;
      const { id, returnCode, identity } = row;
      const finish = Math.abs(row.finish) < 9e12 ? row.finish : scanned.row.finish;
      mustEqual({ id, returnCode, finish, identity }, scanned.row, "both read what is in the row");
    }
    const { counts } = all;
    must(counts.tasks + counts.skipped + counts.barriers <= counts.rows, "no more tasks than rows");
    must([...all.bad()].length === all.badCount, "every fault is told");
  },
};
