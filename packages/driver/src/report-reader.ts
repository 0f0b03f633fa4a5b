import { MalformedMessageError } from "@taskmuster/kvs";
import { type ReceivedReport, type Report, decodeReport, lostReportOf } from "@taskmuster/kvs/protocol";
import type { ReceivedFrom } from "./core/driver-values.js";
import type { Refusals } from "./refusals.js";

/**
 * Reads what engines have reported. Of a report that is malformed as much is taken as says which attempt it is of: nobody saw how
 * that ended, so it is lost, and offered again. It has left the engine's claims, so nothing else would ever be heard of it.
 */
export function readReports(reports: readonly ReceivedReport[], refusals: Refusals): readonly ReceivedFrom[] {
  const read: ReceivedFrom[] = [];
  for (const { engine, number, body } of reports) {
    let report: Report | null;
    try {
      report = decodeReport(body);
    } catch (error) {
      if (!(error instanceof MalformedMessageError)) throw error;
      refusals.refuse("report", `engine ${engine}`, error.message);
      report = lostReportOf(body);
    }
    if (report !== null) read.push({ engine, number, report });
  }
  return read;
}
