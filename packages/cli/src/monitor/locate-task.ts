import type { KvsStore } from "@taskmuster/kvs";
import type { Task } from "@taskmuster/kvs/protocol";
import { claimedTask } from "../self-descriptions.js";
import { findRow } from "./find-task.js";
import { type Card, claimCard, noteCard, rowCard } from "./model/card.js";
import type { EnginePicture, Picture } from "./model/picture.js";

/** More than this an engine does not hold, or a person does not look at. */
export const mostClaims = 1_000;
const atATime = 16;

/** Where a task is, and how it went: from the status file, else from what engines hold now. */
export async function locateTask(
  store: Pick<KvsStore, "claimsOf">,
  statusFile: string,
  picture: Picture | null,
  task: number,
): Promise<Card> {
  const before = await findRow(statusFile, task);
  if (before !== null && before.row !== null) return rowCard(before.row);
  const claim = await findClaim(store, picture, task);
  if (claim !== null) return claim;
  // It may have ended while we asked the engines.
  const after = before === null ? null : await findRow(statusFile, task, before.end);
  if (after !== null && after.row !== null) return rowCard(after.row);
  return noteCard(`Task ${task}`, unknownText(before !== null, statusFile, picture));
}

async function findClaim(
  store: Pick<KvsStore, "claimsOf">,
  picture: Picture | null,
  task: number,
): Promise<Card | null> {
  const engines = (picture?.contexts ?? [])
    .flatMap(({ members }) => members)
    .filter((member): member is EnginePicture => member.kind === "engine" && member.claims > 0);
  for (let at = 0; at < engines.length; at += atATime) {
    const found = await Promise.all(
      engines.slice(at, at + atATime).map(async (engine) => {
        const claims = await store.claimsOf(engine.id, mostClaims);
        const claim = claims.find(({ id }) => id === task);
        const body = claim === undefined ? null : claimedTask(claim.body);
        return body === null ? null : claimCard(body, placeOf(engine));
      }),
    );
    const card = found.find((each) => each !== null);
    if (card !== undefined) return card;
  }
  return null;
}

function placeOf({ rank, host, context }: EnginePicture): string {
  return `engine ${rank} on ${host}, context ${context}`;
}

export function claimedTasks(claims: Awaited<ReturnType<KvsStore["claimsOf"]>>): readonly Task[] {
  // Of some that have ended the store was not told their text (see `announce`).
  return claims.flatMap(({ body }) => claimedTask(body) ?? []);
}

function unknownText(hasFile: boolean, statusFile: string, picture: Picture | null): string {
  const barrier = picture?.run?.atBarrier ?? null;
  const waits =
    barrier === null ? "it waits for a free slot" : `it waits behind barrier ${barrier}, or for a free slot`;
  const first = `No engine has it, and it has no row in the status file: ${waits}, or the list has no task of this number.`;
  return hasFile
    ? first
    : `No engine has it. Whether it has ended cannot be told, as ${statusFile} cannot be read here.`;
}
