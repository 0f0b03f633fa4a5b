import {
  type Attempt,
  ByteWriter,
  type EngineId,
  type TaskId,
  attempt,
  engineId,
  isEngineId,
  taskId,
} from "../protocol/index.js";
import { KvsError, MalformedMessageError } from "../errors.js";
import type { ClaimedTask, NumberedReport, QueuedTask, ReceivedReport } from "../store.js";
import { packElements } from "./packed.js";
import { asNeedsKey } from "./reply.js";

/*
 * What stands in lists and hashes: text that the scripts read, and a body that they do not. A task, in its queue and among an
 * engine's claims: `<needs> <id>:<attempt>:` and the body. All reports of one exchange: `<engine>:<number of the first>:<how many>:`
 * and each body with its length (4 bytes) before it.
 */

function writeTask(writer: ByteWriter, task: QueuedTask): void {
  writer.text(task.needs);
  writer.byte(blank);
  writer.int(task.id);
  writer.byte(colon);
  writer.int(task.attempt);
  writer.byte(colon);
  writer.bytes(task.body);
}

export function taskElement(task: QueuedTask): Buffer {
  const writer = new ByteWriter(sizeOf([task]));
  writeTask(writer, task);
  return writer.written;
}

/** As the scripts take them; see `packElements`. */
export function packTasks(tasks: readonly QueuedTask[], writer = new ByteWriter(sizeOf(tasks))): Buffer {
  return packElements(writer, tasks, writeTask);
}

/** About, and rather more. */
function sizeOf(messages: readonly { readonly body: Uint8Array }[]): number {
  let size = usualHeaderBytes;
  for (const { body } of messages) size += usualHeaderBytes + body.length;
  return size;
}

/** Throws `KvsError` unless they are numbered without gaps. */
export function reportsElement(engine: EngineId, reports: readonly NumberedReport[]): Buffer {
  let next = reports[0]?.number ?? 0;
  const writer = new ByteWriter(sizeOf(reports));
  writer.text(`${engine}:${next}:${reports.length}:`);
  for (const { number, body } of reports) {
    if (number !== next) throw new KvsError(`report ${number} comes where ${next} is expected`);
    next++;
    writer.uint32(body.length);
    writer.bytes(body);
  }
  return writer.written;
}

/** Ids of the claims that they end, as the scripts take them: one for each, empty where it ends none. */
export function packEnds(reports: readonly NumberedReport[]): Buffer {
  const writer = new ByteWriter(usualHeaderBytes * reports.length);
  return packElements(writer, reports, (_, { ends }) => {
    if (ends !== null) writer.int(ends);
  });
}

/** Throws `MalformedMessageError`. */
export function parseTaskElement(element: Buffer): QueuedTask {
  const needsEnd = element.indexOf(blank);
  const idEnd = element.indexOf(colon, needsEnd + 1);
  const attemptEnd = element.indexOf(colon, idEnd + 1);
  const id = numberIn(element, needsEnd + 1, idEnd);
  const tries = numberIn(element, idEnd + 1, attemptEnd);
  if (needsEnd < 1 || id === null || tries === null) throw noPrefix("element of a queue");
  return {
    id: taskId(id),
    attempt: attempt(tries),
    needs: asNeedsKey(element.toString("latin1", 0, needsEnd)),
    body: element.subarray(attemptEnd + 1),
  };
}

/** Throws `MalformedMessageError`. */
export function parseReportsElement(element: Buffer): ReceivedReport[] {
  const engineEnd = element.indexOf(colon);
  const firstEnd = element.indexOf(colon, engineEnd + 1);
  const countEnd = element.indexOf(colon, firstEnd + 1);
  const first = numberIn(element, engineEnd + 1, firstEnd);
  const count = numberIn(element, firstEnd + 1, countEnd);
  if (engineEnd < 1 || first === null || count === null) throw noPrefix("element of the reports");
  const sender = element.toString("latin1", 0, engineEnd);
  if (!isEngineId(sender) || !Number.isSafeInteger(first + count)) throw noPrefix("element of the reports");
  const engine = engineId(sender);
  const reports: ReceivedReport[] = [];
  let at = countEnd + 1;
  for (let number = first; number < first + count; number++) {
    const from = at + 4;
    at = from <= element.length ? from + element.readUInt32BE(at) : Infinity;
    if (at > element.length) throw new MalformedMessageError("element of the reports", "it is cut short");
    reports.push({ engine, number, body: element.subarray(from, at) });
  }
  return reports;
}

/** Null: no digits stand there, or more than can be counted exactly. */
function numberIn(element: Buffer, from: number, to: number): number | null {
  if (from >= to) return null;
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = (element[at] ?? 0) - zero;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : null;
}

function noPrefix(what: string): MalformedMessageError {
  return new MalformedMessageError(what, "it has no prefix");
}

export function claimText(task: { readonly id: TaskId; readonly attempt: Attempt }): string {
  return `${task.id}:${task.attempt}`;
}

/** The inverse of `claimText` for several with blanks between, by id. Throws `MalformedMessageError`. */
export function parseClaims(text: string): readonly ClaimedTask[] {
  const claims = text.split(" ").filter((each) => each !== "");
  return claims
    .map((each) => {
      const [, id, tries] = claimPattern.exec(each) ?? [];
      if (id === undefined || tries === undefined)
        throw new MalformedMessageError("list of claims", JSON.stringify(each.slice(0, 50)));
      return { id: taskId(Number(id)), attempt: attempt(Number(tries)) };
    })
    .toSorted((a, b) => a.id - b.id);
}

/** Fifteen digits are always exact. */
const claimPattern = /^(\d{1,15}):(\d{1,15})$/;
const blank = 32;
const colon = 58;
const zero = 48;
const usualHeaderBytes = 20;
