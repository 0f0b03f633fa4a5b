import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import {
  type ClaimedTask,
  type EngineId,
  type QueuedTask,
  attempt,
  contextId,
  encodeContextInfo,
  engineId,
  needsKey,
  protocolVersion,
  runId,
  taskId,
} from "@taskmuster/kvs/protocol";
import { LastingStore } from "../../src/store/lasting-store.js";

export const run = runId("lastingstore");
const oneCore = needsKey({ cores: 1 });
export const info = Buffer.from("info");
export const [one, two] = [engineId("engine01"), engineId("engine02")];
export const leaseMs = 5000;

export function task(id: number): QueuedTask {
  return { id: taskId(id), attempt: attempt(1), needs: oneCore, body: Buffer.from(`task ${id}`) };
}

/** Does what it is told to, now and then. */
class OddStore extends MemoryStore {
  beforeRestore: () => void = () => undefined;
  held: Promise<void> | null = null;

  override async restore(...args: Parameters<MemoryStore["restore"]>): Promise<void> {
    this.beforeRestore();
    return super.restore(...args);
  }

  override async beat(...args: Parameters<MemoryStore["beat"]>): ReturnType<MemoryStore["beat"]> {
    await this.held;
    return super.beat(...args);
  }
}

/** A driver's store, what it says, and what else there is. */
export async function rig(options: { readonly checkOurs?: () => void; readonly onAway?: () => void } = {}) {
  const server = new MemoryServer();
  const first = new OddStore(server, run);
  const forgetsNext = { value: false };
  const token = await first.open(info);
  const clock = { now: 0 };
  const said: string[] = [];
  const announced = new Map<EngineId, readonly ClaimedTask[]>();
  const connections: MemoryStore[] = [];
  const store = new LastingStore(first, token, {
    info,
    connect: async () => {
      const next = new OddStore(server, run);
      next.beforeRestore = () => {
        if (forgetsNext.value) server.forget();
        forgetsNext.value = false;
      };
      connections.push(next);
      return next;
    },
    checkOurs: options.checkOurs ?? (() => undefined),
    onAway: options.onAway,
    leaseMs,
    now: () => clock.now,
  });
  store.listen({
    onForgotten: () => said.push("forgotten"),
    onReopened: (now) => said.push(`reopened ${now}`),
    onAnnounced: (engine, claims) => announced.set(engine, claims),
    onSettled: () => said.push("settled"),
    onLookDue: () => undefined,
    onSilent: () => said.push("silent"),
    onAnswer: () => said.push("answers"),
    tasksReportedBy: () => 0,
  });
  const engine = () => new MemoryStore(server, run);
  const holdBeat = (): (() => void) => {
    let release: () => void = () => undefined;
    first.held = new Promise((resolve) => (release = resolve));
    return () => release();
  };
  return { server, store, token, clock, said, announced, connections, engine, forgetsNext, holdBeat };
}

export function joining(engine: EngineId, context = "ctx") {
  return { engine, context: contextId(context), info: Buffer.from(`info of ${engine}`) };
}

export function exchange(
  engine: EngineId,
  seq: number,
  claims: number,
  reports: readonly [number, number][] = [],
) {
  return {
    engine,
    seq,
    reports: reports.map(([number, id]) => ({ number, ends: taskId(id), body: Buffer.from(`end of ${id}`) })),
    releases: [],
    wants: [{ needs: oneCore, max: claims }],
    maxBytes: 1e6,
    idleSlots: claims,
    awaitsAcknowledgement: false,
  };
}

export function announcement(
  engine: EngineId,
  seq: number,
  claims: readonly QueuedTask[],
  claimed = claims.length,
) {
  return { ...joining(engine), rank: 0, seq, acknowledged: 0, claimed, claims, last: true };
}

export const limited = encodeContextInfo({
  version: protocolVersion,
  kind: "ssh",
  host: "h",
  pid: 1,
  startedAt: 0,
  limit: 10,
  nodes: [],
  ended: "",
});
