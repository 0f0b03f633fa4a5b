import {
  type ContextSnapshot,
  type ContextInfo,
  type EngineInfo,
  type EngineSnapshot,
  type EngineStats,
  type RunState,
  type Snapshot,
  contextId,
  encodeContextInfo,
  encodeEngineInfo,
  encodeEngineStats,
  encodeRunState,
  engineId,
  protocolVersion,
} from "@taskmuster/kvs/protocol";

/** When the made-up runs stand; ms since 1970. */
export const clockMs = Date.UTC(2026, 10, 21, 2, 30, 0);

export function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

function runState(more: Partial<RunState> = {}): RunState {
  return {
    version: protocolVersion,
    name: "sweep",
    prefix: "/home/ada/sweep/sweep_disBatch_261121021500_407",
    host: "login1",
    pid: 4711,
    startedAt: clockMs - 900_000,
    now: clockMs,
    total: 10_000,
    done: 4_203,
    failed: 12,
    skipped: 0,
    skippedFailed: 0,
    outstanding: 200,
    lost: 0,
    retried: 0,
    perEngineFailed: 0,
    taskSeconds: 40_000,
    atBarrier: null,
    phase: "running",
    reason: "",
    held: "",
    serves: false,
    drained: [],
    failures: [],
    ...more,
  };
}

export function failure(id: number, more: Partial<RunState["failures"][number]> = {}) {
  return {
    id,
    line: id + 1,
    perEngine: false,
    returnCode: 1,
    timedOut: false,
    host: "node017",
    end: clockMs / 1000 - 12,
    elapsed: 41.25,
    command: text(`python3 train.py --seed ${id} --out results/${id}.json`),
    lastWords: text(
      `Traceback (most recent call last):\n  File "train.py", line 88, in <module>\nValueError: seed ${id}: loss is nan\n`,
    ),
    ...more,
  };
}

export interface EngineIs extends Partial<EngineInfo>, Partial<Omit<EngineStats, "why">> {
  readonly rank: number;
  readonly context: string;
  readonly renewal?: number;
  readonly claims?: number;
  readonly wanted?: EngineSnapshot["wanted"];
  readonly awaited?: boolean;
  readonly membership?: EngineSnapshot["state"];
  readonly why?: string;
  readonly statsWhy?: string;
  readonly silent?: boolean;
}

export function engine(is: EngineIs): EngineSnapshot {
  const { rank, context: label, host = `node${String(rank + 1).padStart(3, "0")}`, slots = 4, busy = 0 } = is;
  const info = {
    version: protocolVersion as typeof protocolVersion,
    host,
    pid: 1000 + rank,
    slots,
    cores: is.cores ?? slots,
    endsAt: is.endsAt ?? null,
  };
  const stats = {
    state: is.state ?? ("running" as const),
    why: is.statsWhy ?? "",
    outOf: is.outOf ?? "",
    usable: is.usable ?? slots,
    busy,
    done: is.done ?? 0,
    failed: is.failed ?? 0,
  };
  return {
    engine: engineId(`engine${String(rank).padStart(6, "0")}`),
    context: contextId(label),
    rank,
    info: encodeEngineInfo(info),
    renewal: is.renewal ?? 1,
    stats: is.silent === true ? new Uint8Array() : encodeEngineStats(stats),
    claims: is.claims ?? busy,
    wanted: is.wanted ?? "run",
    state: is.membership ?? "member",
    why: is.why ?? "",
    awaited: is.awaited ?? false,
    greeted: true,
  };
}

export interface ContextIs extends Partial<ContextInfo> {
  readonly label: string;
  readonly rank?: number;
  readonly wanted?: ContextSnapshot["wanted"];
  readonly credit?: number | null;
}

export function context(is: ContextIs): ContextSnapshot {
  return {
    context: contextId(is.label),
    rank: is.rank ?? 0,
    nonce: `nonce of ${is.label}`,
    wanted: is.wanted ?? "run",
    credit: is.credit ?? null,
    info: encodeContextInfo({
      version: protocolVersion,
      kind: is.kind ?? "ssh",
      host: is.host ?? "login1",
      pid: is.pid ?? 4712,
      startedAt: is.startedAt ?? clockMs - 900_000,
      limit: is.limit ?? null,
      nodes: is.nodes ?? [],
      ended: is.ended ?? "",
    }),
  };
}

/** Nodes of these names that have been started. */
export function nodes(...hosts: readonly string[]): ContextInfo["nodes"] {
  return hosts.map((host) => ({ host, slots: 4, state: "starting", why: "" }));
}

export function snapshot(
  state: Partial<RunState> | null,
  contexts: readonly ContextSnapshot[],
  engines: readonly EngineSnapshot[],
  more: Partial<Snapshot> = {},
): Snapshot {
  return {
    open: true,
    token: 1,
    driverBeat: 1,
    state: state === null ? new Uint8Array() : encodeRunState(runState(state)),
    queued: 150,
    reports: 0,
    wanted: "run",
    contexts,
    engines,
    ...more,
  };
}

export const endedSnapshot: Snapshot = {
  open: false,
  token: 0,
  driverBeat: 0,
  state: new Uint8Array(),
  queued: 0,
  reports: 0,
  wanted: "run",
  contexts: [],
  engines: [],
};
