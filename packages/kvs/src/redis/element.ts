import {
  type Attempt,
  type EngineId,
  type NeedsKey,
  type TaskId,
  attempt,
  engineId,
  taskId,
} from "../protocol/index.js";
import { MalformedMessageError } from "../errors.js";
import { asNeedsKey } from "./reply.js";
import type { ClaimedTask, QueuedTask, ReceivedReport } from "../store.js";

/** What stands in a queue: `<id>:<attempt>:` and the body, so that a script can read the id without decoding the body. */
export function taskElement(task: QueuedTask): Buffer {
  return prefixed(`${task.id}:${task.attempt}:`, task.body);
}

/** What stands in the list of reports: `<engine>:<number>:` and the body. */
export function reportElement(engine: EngineId, number: number, body: Uint8Array): Buffer {
  return prefixed(`${engine}:${number}:`, body);
}

function prefixed(prefix: string, body: Uint8Array): Buffer {
  const element = Buffer.allocUnsafe(prefix.length + body.length);
  element.write(prefix, 0, "latin1");
  element.set(body, prefix.length);
  return element;
}

const colon = 58;

function split(element: Buffer, what: string): { first: string; second: number; body: Buffer } {
  const one = element.indexOf(colon);
  const two = element.indexOf(colon, one + 1);
  const second = Number(element.toString("latin1", one + 1, two));
  if (one < 0 || two < 0 || !Number.isSafeInteger(second))
    throw new MalformedMessageError(what, "it has no prefix");
  return { first: element.toString("latin1", 0, one), second, body: element.subarray(two + 1) };
}

/** Throws `MalformedMessageError`. */
export function parseTaskElement(needs: NeedsKey, element: Buffer): QueuedTask {
  const { first, second, body } = split(element, "element of a queue");
  return { id: taskId(Number(first)), attempt: attempt(second), needs, body };
}

/** What stands among an engine's claims: the needs, a blank, and what stood in their queue. Throws `MalformedMessageError`. */
export function parseClaimedTask(claim: Buffer): QueuedTask {
  const blank = claim.indexOf(32);
  return parseTaskElement(asNeedsKey(claim.toString("latin1", 0, blank)), claim.subarray(blank + 1));
}

/** Throws `MalformedMessageError`. */
export function parseReportElement(element: Buffer): ReceivedReport {
  const { first, second, body } = split(element, "element of the reports");
  return { engine: engineId(first), number: second, body };
}

export function claimText(task: { readonly id: TaskId; readonly attempt: Attempt }): string {
  return `${task.id}:${task.attempt}`;
}

/** The inverse of `claimText` for several with blanks between, by id. */
export function parseClaims(text: string): readonly ClaimedTask[] {
  const claims = text.split(" ").filter((each) => each !== "");
  return claims
    .map((each) => {
      const [id, tries] = each.split(":");
      return { id: taskId(Number(id)), attempt: attempt(Number(tries)) };
    })
    .toSorted((a, b) => a.id - b.id);
}
