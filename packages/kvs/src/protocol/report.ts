import { MalformedMessageError } from "../errors.js";
import { FixedFields, viewOf } from "./fixed.js";
import { type Attempt, type TaskId, attempt, taskId } from "./ids.js";

/**
 * How one try ended. `timedOut`: it had run for as long as it may, and we stopped it; `signal` is what its shell died of, TERM if
 * it ended by itself after that. `lost`: nobody saw the end (the launcher died). `cancelled`: we stopped it (an order, a signal,
 * the fence). Neither of these two is a failure of the task.
 */
export type Outcome =
  | { readonly kind: "exited"; readonly code: number }
  | { readonly kind: "signalled"; readonly signal: number }
  | { readonly kind: "failedToStart"; readonly errno: number }
  | { readonly kind: "timedOut"; readonly signal: number }
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
  "timedOut",
] as const satisfies readonly Outcome["kind"][];

function outcomeValue(outcome: Outcome): number {
  switch (outcome.kind) {
    case "exited":
      return outcome.code;
    case "signalled":
    case "timedOut":
      return outcome.signal;
    case "failedToStart":
      return outcome.errno;
    case "lost":
    case "cancelled":
      return 0;
  }
}

const success: Outcome = { kind: "exited", code: 0 };

function outcomeOf(kind: Outcome["kind"], value: number): Outcome {
  switch (kind) {
    case "exited":
      return value === 0 ? success : { kind, code: value };
    case "signalled":
    case "timedOut":
      return { kind, signal: value };
    case "failedToStart":
      return { kind, errno: value };
    case "lost":
    case "cancelled":
      return { kind };
  }
}

/** Where its fields begin; after them come host and snippets, each as long as the last four say. */
const at = {
  kind: 0,
  outcome: 1,
  outcomeValue: 2,
  attempt: 6,
  pid: 10,
  id: 14,
  start: 22,
  end: 30,
  elapsed: 38,
  outBytes: 46,
  errBytes: 54,
  hostLength: 62,
  outLength: 64,
  errLength: 66,
  wordsLength: 70,
  host: 74,
} as const;

export function encodeReport(report: Report): Buffer {
  const { host, out, err, lastWords } = report;
  if (host !== lastWritten.text) lastWritten = { text: host, bytes: Buffer.from(host) };
  const hostLength = lastWritten.bytes.length;
  const length = at.host + hostLength + out.snippet.length + err.snippet.length + lastWords.length;
  const bytes = Buffer.allocUnsafe(length);
  const view = viewOf(bytes);
  const from = bytes.byteOffset;
  view.setUint8(from + at.kind, kinds.indexOf(report.kind));
  view.setUint8(from + at.outcome, outcomes.indexOf(report.outcome.kind));
  view.setInt32(from + at.outcomeValue, outcomeValue(report.outcome));
  view.setUint32(from + at.attempt, report.attempt);
  view.setInt32(from + at.pid, report.pid);
  view.setFloat64(from + at.id, report.id);
  view.setFloat64(from + at.start, report.start);
  view.setFloat64(from + at.end, report.end);
  view.setFloat64(from + at.elapsed, report.elapsed);
  view.setFloat64(from + at.outBytes, out.bytes);
  view.setFloat64(from + at.errBytes, err.bytes);
  view.setUint16(from + at.hostLength, hostLength);
  view.setUint16(from + at.outLength, out.snippet.length);
  view.setUint32(from + at.errLength, err.snippet.length);
  view.setUint32(from + at.wordsLength, lastWords.length);
  bytes.set(lastWritten.bytes, at.host);
  let end = at.host + hostLength;
  for (const part of [out.snippet, err.snippet, lastWords]) {
    if (part.length > 0) bytes.set(part, end);
    end += part.length;
  }
  return bytes;
}

/** Snippets and last words are parts of `bytes`. Throws `MalformedMessageError`. */
export function decodeReport(bytes: Uint8Array): Report {
  const fields = new FixedFields("report", bytes, at.host);
  const outAt = at.host + fields.uint16(at.hostLength);
  const errAt = outAt + fields.uint16(at.outLength);
  const wordsAt = errAt + fields.uint32(at.errLength);
  const end = wordsAt + fields.uint32(at.wordsLength);
  fields.expectEnd(end);
  return {
    kind: fields.oneOf(at.kind, kinds),
    id: taskId(fields.count(at.id)),
    attempt: attempt(fields.uint32(at.attempt)),
    host: hostIn(bytes, at.host, outAt),
    pid: fields.int32(at.pid),
    outcome: outcomeOf(fields.oneOf(at.outcome, outcomes), fields.int32(at.outcomeValue)),
    start: fields.float64(at.start),
    end: fields.float64(at.end),
    elapsed: fields.float64(at.elapsed),
    out: digest(fields.count(at.outBytes), fields.part(outAt, errAt)),
    err: digest(fields.count(at.errBytes), fields.part(errAt, wordsAt)),
    lastWords: fields.part(wordsAt, end),
  };
}

/** Most tasks write nothing. */
const nothing: StreamDigest = { bytes: 0, snippet: new Uint8Array(0) };

function digest(bytes: number, snippet: Uint8Array): StreamDigest {
  return bytes === 0 && snippet.length === 0 ? nothing : { bytes, snippet };
}

/** What a malformed report still tells: which attempt at which task has come to an end that nobody saw. Null: not even that. */
export function lostReportOf(bytes: Uint8Array): Report | null {
  try {
    const fields = new FixedFields("report", bytes, at.start);
    if (fields.oneOf(at.kind, kinds) !== "task") return null;
    return {
      kind: "task",
      id: taskId(fields.count(at.id)),
      attempt: attempt(fields.uint32(at.attempt)),
      host: "",
      pid: -1,
      outcome: { kind: "lost" },
      start: 0,
      end: 0,
      elapsed: 0,
      out: nothing,
      err: nothing,
      lastWords: nothing.snippet,
    };
  } catch (error) {
    if (error instanceof MalformedMessageError) return null;
    throw error;
  }
}

/** It stands in a column of a line. */
const control = /\p{Cc}/u;

interface Host {
  readonly text: string;
  readonly bytes: Buffer;
}

/** Nearly always that of the report before: its text need not be made anew, nor looked at. */
let lastRead: Host = { text: "", bytes: Buffer.alloc(0) };
let lastWritten: Host = lastRead;

function hostIn(bytes: Uint8Array, from: number, to: number): string {
  const { text, bytes: last } = lastRead;
  let same = last.length === to - from;
  for (let index = 0; same && index < last.length; index++) same = last[index] === bytes[from + index];
  if (same) return text;
  // A copy: what is kept must not hold on to the whole batch that it came with.
  const host = Buffer.from(bytes.subarray(from, to));
  const read = host.toString();
  if (control.test(read)) throw new MalformedMessageError("report", "the host has control characters");
  lastRead = { text: read, bytes: host };
  return read;
}
