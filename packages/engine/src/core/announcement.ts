import { type AnnounceRequest, type QueuedTask, decodeReport, needsKey } from "@taskmuster/kvs/protocol";
import type { ReportOutbox } from "./report-outbox.js";

/** One part of what an engine tells a store that has forgotten it; who it is, its shell knows. */
export type AnnouncePart = Pick<AnnounceRequest, "seq" | "acknowledged" | "claimed" | "claims" | "last">;

export interface AnnounceBounds {
  /** On one part. */
  readonly maxReports: number;
  readonly maxBytes: number;
}

/** Tasks that have ended here, and whose reports may be lost: still this engine's. Nobody starts them, so their text is not needed. */
export function endedTasks(reports: ReportOutbox): readonly QueuedTask[] {
  return reports.all.flatMap(({ ends, body }) =>
    ends === null ? [] : { id: ends, attempt: decodeReport(body).attempt, needs: anyNeeds, body: noBytes },
  );
}

/** At least one part: also an engine that holds nothing has to be waited for no longer. `nextSeq` is called once for each. */
export function announcementOf(
  claims: readonly QueuedTask[],
  counts: Pick<AnnouncePart, "acknowledged" | "claimed">,
  bounds: AnnounceBounds,
  nextSeq: () => number,
): readonly AnnouncePart[] {
  const parts: AnnouncePart[] = [];
  let from = 0;
  do {
    let to = from;
    for (let bytes = 0; to < claims.length && to - from < bounds.maxReports; to++) {
      bytes += claims[to]?.body.length ?? 0;
      if (bytes > bounds.maxBytes && to > from) break;
    }
    parts.push({ ...counts, seq: nextSeq(), claims: claims.slice(from, to), last: to === claims.length });
    from = to;
  } while (from < claims.length);
  return parts;
}

const anyNeeds = needsKey({ cores: 1 });
const noBytes = new Uint8Array(0);
