import { pack } from "./codec.js";
import { Fields, orNull } from "./fields.js";
import { type Attempt, type TaskId, attempt, taskId } from "./ids.js";

/**
 * How one try ended. `lost`: nobody saw the end (the launcher died). `cancelled`: we stopped it (an order, a signal,
 * the fence). Neither is a failure of the task.
 */
export type Outcome =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled"; readonly signal: number }
  | { readonly kind: "failedToStart"; readonly errno: number }
  | { readonly kind: "lost" }
  | { readonly kind: "cancelled" };

/** `task`: from the list. `start`, `stop`: PERENGINE commands, numbered on their own. */
export type ReportKind = "task" | "start" | "stop";

/** What a stream of a task wrote that it did not redirect. */
export interface StreamDigest {
  /** All bytes written while the task's shell lived. */
  readonly bytes: number;
  /** First 40 bytes, and where there were more `...` and the last min(40, bytes - 40) bytes. */
  readonly snippet: Uint8Array;
}

/** The result of one try at one task (or of one PERENGINE command), as an engine tells it. */
export interface Report {
  readonly kind: ReportKind;
  /** For `start` and `stop`: index in its own list. */
  readonly id: TaskId;
  readonly attempt: Attempt;
  readonly host: string;
  /** Of the task's shell; -1 when there was none. */
  readonly pid: number;
  readonly outcome: Outcome;
  /** Seconds since 1970, by the engine's clock. */
  readonly start: number;
  readonly end: number;
  /** Seconds, by the engine's monotonic clock. */
  readonly elapsed: number;
  readonly out: StreamDigest;
  readonly err: StreamDigest;
  /** Up to 400 last bytes of standard error; empty unless the task failed. */
  readonly lastWords: Uint8Array;
}

const kinds = ["task", "start", "stop"] as const satisfies readonly ReportKind[];
const outcomes = [
  "exited",
  "signalled",
  "failedToStart",
  "lost",
  "cancelled",
] as const satisfies readonly Outcome["kind"][];

function outcomeValue(outcome: Outcome): number {
  switch (outcome.kind) {
    case "exited":
      return outcome.code;
    case "signalled":
      return outcome.signal;
    case "failedToStart":
      return outcome.errno;
    case "lost":
    case "cancelled":
      return 0;
  }
}

function outcomeOf(kind: Outcome["kind"], value: number): Outcome {
  switch (kind) {
    case "exited":
      return { kind, code: value };
    case "signalled":
      return { kind, signal: value };
    case "failedToStart":
      return { kind, errno: value };
    case "lost":
    case "cancelled":
      return { kind };
  }
}

export function encodeReport(report: Report): Buffer {
  return pack([
    kinds.indexOf(report.kind),
    report.id,
    report.attempt,
    report.host,
    report.pid,
    outcomes.indexOf(report.outcome.kind),
    outcomeValue(report.outcome),
    report.start,
    report.end,
    report.elapsed,
    report.out.bytes,
    orNull(report.out.snippet),
    report.err.bytes,
    orNull(report.err.snippet),
    orNull(report.lastWords),
  ]);
}

/** Throws `MalformedMessageError`. */
export function decodeReport(bytes: Uint8Array): Report {
  const fields = new Fields("report", bytes, 15);
  return {
    kind: fields.oneOf(0, kinds),
    id: taskId(fields.int(1)),
    attempt: attempt(fields.int(2)),
    host: fields.text(3),
    pid: fields.int(4),
    outcome: outcomeOf(fields.oneOf(5, outcomes), fields.int(6)),
    start: fields.number(7),
    end: fields.number(8),
    elapsed: fields.number(9),
    out: { bytes: fields.int(10), snippet: fields.bytes(11) },
    err: { bytes: fields.int(12), snippet: fields.bytes(13) },
    lastWords: fields.bytes(14),
  };
}
