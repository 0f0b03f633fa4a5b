import type { EngineId } from "@taskmuster/kvs/protocol";
import { contextCondition, engineCondition, mustGo } from "./condition.js";
import type { ContextLook, EngineLook, RunLook } from "./look.js";
import type { ContextPicture, EnginePicture, NodePicture } from "./picture.js";

export interface EngineSighting {
  readonly renewal: number;
  /** When the renewal last changed; ms, monotonic. */
  readonly heardAt: number;
  readonly goneSince: number | null;
}

/** `goneSince`: as the picture before had it; null also when there was none. */
export interface ContextSighting {
  readonly engines: ReadonlyMap<EngineId, EngineSighting>;
  readonly goneSince: number | null;
  readonly isFirst: boolean;
  readonly now: number;
}

/** Who was gone before we first looked has been so for who knows how long. */
export const longAgo = -Infinity;

export function contextPicture(
  look: RunLook,
  context: ContextLook,
  engines: readonly EngineLook[],
  sighting: ContextSighting,
): ContextPicture {
  const { now } = sighting;
  const clock = look.run?.now ?? null;
  const members = engines.map((engine) => {
    const { heardAt, goneSince: since } = sighting.engines.get(engine.id) ?? {
      heardAt: now,
      goneSince: null,
    };
    return enginePicture(look, context, engine, clock, now - heardAt, since);
  });
  const up = members.filter((engine) => engine.goneSince === null);
  const { failed, awaited } = emptyNodes(context, engines, up.length);
  const condition = contextCondition(context, up.length, awaited.length);
  const goneSince = sighting.goneSince ?? (sighting.isFirst && condition.kind === "gone" ? longAgo : now);
  const ends = up.map((engine) => engine.endsInSeconds).filter((each) => each !== null);
  return {
    kind: "context",
    key: `context ${context.id}`,
    label: context.id,
    method: context.info.kind,
    host: context.info.host,
    nodes: context.info.nodes.length,
    up: up.length,
    slots: total(up, ({ slots }) => slots),
    busy: total(up, ({ busy }) => busy),
    done: total(members, ({ done }) => done),
    failed: total(members, ({ failed: each }) => each),
    limit: context.info.limit,
    limitLeft: context.credit,
    endsInSeconds: ends.length === 0 ? null : Math.min(...ends),
    condition,
    retiring: mustGo(context.wanted),
    goneSince: condition.kind === "gone" || condition.kind === "failed" ? goneSince : null,
    members: [...members, ...failed, ...awaited],
  };
}

function enginePicture(
  look: RunLook,
  context: ContextLook,
  engine: EngineLook,
  clock: number | null,
  heardMs: number,
  goneSince: number | null,
): EnginePicture {
  const { info, stats } = engine;
  return {
    kind: "engine",
    key: `engine ${engine.id}`,
    id: engine.id,
    context: engine.context,
    rank: engine.rank,
    host: info.host,
    hostOrder: engine.hostOrder,
    pid: info.pid,
    cores: info.cores,
    slots: info.slots,
    // What an engine says of itself may be 5 s old; what it has claimed is known at once, and it claims ahead only when it is full.
    busy: goneSince === null ? Math.min(info.slots, engine.claims) : 0,
    done: stats?.done ?? 0,
    failed: stats?.failed ?? 0,
    claims: engine.claims,
    heardMs,
    endsInSeconds: info.endsAt === null || clock === null ? null : Math.max(0, (info.endsAt - clock) / 1000),
    condition: engineCondition(
      engine,
      context,
      look.wanted,
      heardMs,
      look.run?.drained.find((each) => each.engine === engine.id)?.why,
    ),
    retiring: mustGo(engine.wanted),
    goneSince,
  };
}

/**
 * Nodes that no engine stands for in the list. A node is matched with an engine by its name, short or long; as a node may
 * call itself otherwise than it was called (`localhost`), no more nodes are awaited than engines are missing.
 */
function emptyNodes(
  context: ContextLook,
  engines: readonly EngineLook[],
  up: number,
): { readonly failed: readonly NodePicture[]; readonly awaited: readonly NodePicture[] } {
  const hosts = new Map<string, number>();
  for (const { info } of engines) hosts.set(short(info.host), (hosts.get(short(info.host)) ?? 0) + 1);
  const { nodes, ended } = context.info;
  const starting = nodes.filter(({ state }) => state === "starting").length;
  // An engine has left a little before its context tells that its node is free.
  const justLeft = Math.max(0, engines.length - up - (nodes.length - starting));
  let missing = ended === "" ? starting - up - justLeft : 0;
  const failed: NodePicture[] = [];
  const awaited: NodePicture[] = [];
  for (const [number, node] of nodes.entries()) {
    const matching = hosts.get(short(node.host)) ?? 0;
    if (matching > 0) hosts.set(short(node.host), matching - 1);
    if (matching > 0 || node.state === "gone") continue;
    const base = {
      kind: "node",
      key: `node ${context.id} ${number}`,
      context: context.id,
      host: node.host,
      slots: node.slots,
    } as const;
    if (node.state === "failed") {
      failed.push({ ...base, condition: { kind: "failed", why: node.why } });
    } else if (missing > 0) {
      missing--;
      const condition = { kind: "starting", why: "no engine has joined from it yet" } as const;
      awaited.push({ ...base, condition });
    }
  }
  return { failed, awaited };
}

function short(host: string): string {
  return /^[\d.]+$/.test(host) ? host : (host.split(".")[0] ?? host);
}

function total(engines: readonly EnginePicture[], of: (engine: EnginePicture) => number): number {
  let sum = 0;
  for (const engine of engines) sum += of(engine);
  return sum;
}
