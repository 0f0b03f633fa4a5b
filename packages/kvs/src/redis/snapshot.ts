import { MalformedMessageError } from "../errors.js";
import { noRunSnapshot } from "../no-run.js";
import { contextId, engineId } from "../protocol/index.js";
import type { EngineSnapshot, Snapshot } from "../store.js";
import { asArray, asBuffer, asNumber, asText } from "./reply.js";
import { wantedOf } from "../wanted.js";

/** Throws `MalformedMessageError`. */
export function parseSnapshot(reply: unknown): Snapshot {
  const [token, beat, queued, reports, wanted, ...engines] = asArray(reply);
  if (token === undefined) return noRunSnapshot;
  return {
    open: true,
    token: asNumber(token),
    driverBeat: asNumber(beat),
    queued: asNumber(queued),
    reports: asNumber(reports),
    wanted: wantedOf(asNumber(wanted)),
    engines: engines.map(parseEngine),
  };
}

function parseEngine(reply: unknown): EngineSnapshot {
  const [engine, context, rank, info, renewal, stats, claims, wanted, state] = asArray(reply);
  return {
    engine: engineId(asText(engine)),
    context: contextId(asText(context)),
    rank: asNumber(rank),
    info: asBuffer(info),
    renewal: asNumber(renewal),
    stats: asBuffer(stats),
    claims: asNumber(claims),
    wanted: wantedOf(asNumber(wanted)),
    state: stateOf(asText(state)),
  };
}

function stateOf(text: string): EngineSnapshot["state"] {
  if (text === "member" || text === "left" || text === "expelled") return text;
  throw new MalformedMessageError("state of an engine", text);
}
