import type { EngineId, RunId } from "./protocol/index.js";

/**
 * Every key of a run, here and nowhere else (the scripts derive the same names from the first one; a test
 * compares). All share one hash tag, so that they lie on one node of a cluster, and a prefix, so that runs on one
 * server never touch each other's. `<…>` is a variable part.
 */
export const runKeyNames = {
  meta: "hash: epoch (run_id of the server), opener, token, beat, state, handled, info, wanted, needs, published, acknowledged, dropped, ranks, members, limited",
  engines: "list: ids of all engines, by rank",
  "engine:<engine>":
    "hash: state, context, rank, info, contextWanted, wanted, seq, reported, acknowledged, renewal, stats, idle, last, awaits, greeted, announced, claimed, expelled, why",
  "claims:<engine>": "hash: task id, element of the queue",
  "queue:<needs>": "list: <needs> <id>:<attempt>:<task>",
  reports: "list, an element for each exchange: <engine>:<number of the first>:<how many>:<reports>",
  idle: "sorted set: engine, free slots; whom to ring when tasks are published",
  starved: "sorted set: the same, for engines whose context has no credit left",
  contexts:
    "hash: wanted:<context>, rank:<context>, info:<context>, credit:<context>, granted:<context>, nonceOf:<context>, nonce:<nonce>",
  labels: "list: names of all contexts, by rank",
  gone: "list: engines that are no members any more, oldest first",
  requests: "list: what others ask of the driver, oldest first",
  withdrawn: "list: <id>:<attempt> of the last withdrawals",
  posted: "hash: key, last value posted",
  "post:<key>": "list: values posted for other programs",
  "bell:<engine>": "list: holds one element when the engine was rung; bell:driver is the driver's",
} as const;

/** `tm:{<run>}:` */
export function runKeyPrefix(run: RunId): string {
  return `tm:{${run}}:`;
}

/** The first key of every script. */
export function metaKey(run: RunId): string {
  return `${runKeyPrefix(run)}meta`;
}

export function bellKey(run: RunId, whose: "driver" | EngineId): string {
  return `${runKeyPrefix(run)}bell:${whose}`;
}

/** Where other programs find what `post` left for them. */
export function postKey(run: RunId, key: string): string {
  return `${runKeyPrefix(run)}post:${key}`;
}
