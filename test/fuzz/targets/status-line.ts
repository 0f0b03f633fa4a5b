import { decodeReport, encodeReport } from "@taskmuster/kvs/protocol";
import { MalformedMessageError } from "@taskmuster/kvs";
import { identityOf } from "../../../packages/driver/src/core/row-scanner.js";
import { scanLine } from "../../../packages/driver/test/scan-line.js";
import { resultStatus } from "../../../packages/driver/src/core/result-status.js";
import {
  commandColumn,
  formatRow,
  parseRow,
  rowOfReport,
  statusHeader,
} from "../../../packages/driver/src/core/status-line/index.js";
import { type Target, must, mustEqual, unlessRefused } from "../target.js";
import { reshapeWith } from "./reshape.js";
import { reports, rowWords, rows } from "./samples.js";

const lineFeed = 0x0a;

/** The lines of a status file, as a resume reads them: quickly, and then those that it needs again in full. */
export const statusLine: Target = {
  name: "status-line",
  seeds: () => [...rows.map((row) => formatRow(row)), Buffer.from(statusHeader)],
  words: [...rowWords, "\t'\\x00'\t", '"\'"', "b'\\xff'"],
  mostBytes: 4_096,
  check: (bytes) => {
    const end = bytes.indexOf(lineFeed);
    const line = end === -1 ? bytes : bytes.subarray(0, end);
    const row = parseRow(line);
    const scanned = scanLine(line);
    if (scanned.kind === "row") {
      must(row !== null, "what the scan takes for a row can be read in full");
      const { id, returnCode, finish } = row;
      const column = commandColumn(row.command);
      // Of a command that nobody writes so, the scan knows only how it was written.
      const asRead = line.subarray(line.length - column.length).equals(column);
      const identity = asRead ? identityOf(row.line, row.repeatIndex, column) : scanned.row.identity;
      // The scan reads times in thousandths, which are exact for three hundred thousand years.
      const exact = Math.abs(finish) < 9e12 ? finish : scanned.row.finish;
      mustEqual(
        scanned.row,
        { id, returnCode, finish: exact, identity },
        "the scan reads what is in the row",
      );
    }
    if (row === null) return;
    const written = formatRow(row);
    const again = parseRow(written);
    must(again !== null, "what is written can be read again");
    mustEqual(again, row, "what is read again");
    must(formatRow(again).equals(written), "a row is written the same way twice");
    const status = resultStatus(row);
    if (status !== null) JSON.parse(status);
  },
};

/** From the bytes of a report to the line of the status file. */
export const reportRow: Target = {
  name: "report-row",
  seeds: () => reports.map((report) => encodeReport(report)),
  mostBytes: 4_096,
  reshape: reshapeWith(decodeReport, encodeReport),
  check: (bytes) => {
    const report = unlessRefused(MalformedMessageError, () => decodeReport(bytes));
    if (report === undefined) return;
    const task = { line: 1, repeatIndex: -1, command: Buffer.from("true") };
    const row = rowOfReport(report, task, report.kind === "task" ? "task" : "perEngine");
    const written = formatRow(row);
    must(written.indexOf(lineFeed) === written.length - 1, "a row is one line");
    const again = parseRow(written);
    must(again !== null, "the row of a report can be read again");
    must(formatRow(again).equals(written), "the row of a report is written the same way twice");
  },
};
