import { MalformedMessageError } from "../errors.js";
import { noRunSnapshot } from "../no-run.js";
import { contextId, engineId, isEngineId } from "../protocol/index.js";
import type { ContextSnapshot, EngineSnapshot, Snapshot } from "../store.js";
import { asArray, asBuffer, asNumber, asText } from "./reply.js";
import { wantedOf } from "../wanted.js";

/** Throws `MalformedMessageError`. */
export function parseSnapshot(reply: unknown): Snapshot {
  const [token, beat, queued, reports, wanted, state, contexts, engines] = asArray(reply);
  if (token === undefined) return noRunSnapshot;
  return {
    open: true,
    token: asNumber(token),
    driverBeat: asNumber(beat),
    state: asBuffer(state),
    queued: asNumber(queued),
    reports: asNumber(reports),
    wanted: wantedOf(asNumber(wanted)),
    contexts: asArray(contexts).map(parseContext),
    engines: asArray(engines).map(parseEngine),
  };
}

function parseContext(reply: unknown): ContextSnapshot {
  const [context, rank, info, wanted, credit, nonce] = asArray(reply);
  const left = asNumber(credit);
  return {
    context: contextId(asText(context)),
    rank: asNumber(rank),
    nonce: asText(nonce),
    info: asBuffer(info),
    wanted: wantedOf(asNumber(wanted)),
    credit: left < 0 ? null : left,
  };
}

function parseEngine(reply: unknown): EngineSnapshot {
  const [engine, context, rank, info, renewal, stats, claims, wanted, state, why, awaited, greeted] =
    asArray(reply);
  const id = asText(engine);
  if (!isEngineId(id))
    throw new MalformedMessageError(
      "answer of the key-value store",
      `${JSON.stringify(id.slice(0, 50))} is no engine's id`,
    );
  return {
    engine: engineId(id),
    context: contextId(asText(context)),
    rank: asNumber(rank),
    info: asBuffer(info),
    renewal: asNumber(renewal),
    stats: asBuffer(stats),
    claims: asNumber(claims),
    wanted: wantedOf(asNumber(wanted)),
    state: stateOf(asText(state)),
    why: asText(why),
    awaited: asNumber(awaited) === 1,
    greeted: asNumber(greeted) === 1,
  };
}

function stateOf(text: string): EngineSnapshot["state"] {
  if (text === "member" || text === "left" || text === "expelled") return text;
  throw new MalformedMessageError("state of an engine", text);
}
