import type { ContextId, EngineId, NeedsKey, TaskId } from "../protocol/index.js";
import type {
  ClaimedTask,
  EngineSnapshot,
  FencingToken,
  QueuedTask,
  ReceivedReport,
  Wanted,
} from "../store.js";
import { strongest } from "../wanted.js";

/** What the store holds of one engine. */
export interface Member {
  readonly context: ContextId;
  readonly rank: number;
  readonly info: Uint8Array;
  /** `awaited`: a member that has not announced itself to this life of the server. */
  state: EngineSnapshot["state"] | "awaited";
  contextWanted: Wanted;
  wanted: Wanted;
  /** Of the last exchange. */
  seq: number;
  /** What that one claimed: the answer to its repetition. */
  last: readonly TaskId[];
  reported: number;
  acknowledged: number;
  awaitsAcknowledgement: boolean;
  renewal: number;
  stats: Uint8Array;
  /** Free slots that it was last listed with. */
  idle: number;
  readonly claims: Map<TaskId, QueuedTask>;
  greeted: boolean;
  announced: readonly ClaimedTask[] | null;
  /** As it announced. */
  claimed: number;
  expelled: readonly ClaimedTask[];
  why: string;
}

export interface ContextState {
  wanted: Wanted;
  /** Claims left; undefined without a limit. */
  credit: number | undefined;
  granted: number;
}

/** A context that has enrolled. */
export interface Enrolment {
  readonly nonce: string;
  info: Uint8Array;
}

/** What the store holds of one run: the twin of the keys in `keys.ts`. */
export interface Run {
  /** Of the server when the run was opened. */
  epoch: number;
  opener: string | null;
  token: FencingToken;
  info: Uint8Array;
  beat: number;
  state: Uint8Array;
  wanted: Wanted;
  readonly needs: NeedsKey[];
  published: number;
  /** Position of the first of `reports`. */
  acknowledged: number;
  readonly reports: ReceivedReport[];
  readonly queues: Map<NeedsKey, QueuedTask[]>;
  /** Position of the first of `requests`. */
  handled: number;
  readonly requests: Uint8Array[];
  /** Rank of the next engine that joins. */
  ranks: number;
  /** In order of rank. */
  readonly engines: Map<EngineId, Member>;
  /** Free slots of those who wait to be rung. */
  readonly idle: Map<EngineId, number>;
  /** The same, where the context has no credit left. */
  readonly starved: Map<EngineId, number>;
  readonly contexts: Map<ContextId, ContextState>;
  /** In order of rank. */
  readonly enrolments: Map<ContextId, Enrolment>;
  /** Engines that are no members any more, oldest first. */
  readonly gone: EngineId[];
  withdrawn: readonly string[];
  readonly posted: Map<string, string[]>;
  /** Bells that the verb under way has rung. */
  readonly chimes: Set<"driver" | EngineId>;
  /** Engines whose bells the verb under way has taken down. */
  readonly forgotten: Set<EngineId>;
}

export function newRun(epoch: number, ranks: number): Run {
  return {
    epoch,
    opener: null,
    token: 0,
    info: new Uint8Array(),
    beat: 0,
    state: new Uint8Array(),
    wanted: "run",
    needs: [],
    published: 0,
    acknowledged: 0,
    reports: [],
    queues: new Map(),
    handled: 0,
    requests: [],
    ranks,
    engines: new Map(),
    idle: new Map(),
    starved: new Map(),
    contexts: new Map(),
    enrolments: new Map(),
    gone: [],
    withdrawn: [],
    posted: new Map(),
    chimes: new Set(),
    forgotten: new Set(),
  };
}

export function newMember(
  known: Pick<Member, "context" | "rank" | "info" | "state" | "contextWanted"> & Partial<Member>,
): Member {
  return {
    wanted: "run",
    seq: 0,
    last: [],
    reported: 0,
    acknowledged: 0,
    awaitsAcknowledgement: false,
    renewal: 0,
    stats: new Uint8Array(),
    idle: 0,
    claims: new Map(),
    greeted: false,
    announced: null,
    claimed: 0,
    expelled: [],
    why: "",
    ...known,
  };
}

export function isMember({ state }: Member): boolean {
  return state === "member" || state === "awaited";
}

export function claimsOfMember(member: Member): readonly ClaimedTask[] {
  return [...member.claims.values()]
    .map(({ id, attempt }) => ({ id, attempt }))
    .toSorted((a, b) => a.id - b.id);
}

/** What holds for this engine. One that is no member any more shall stop. */
export function wantedOfMember(run: Run, member: Member): Wanted {
  return isMember(member) ? strongest(run.wanted, member.contextWanted, member.wanted) : "stop";
}

export function contextState(run: Run, context: ContextId): ContextState {
  let state = run.contexts.get(context);
  if (state === undefined) {
    state = { wanted: "run", credit: undefined, granted: 0 };
    run.contexts.set(context, state);
  }
  return state;
}

export function creditOf(run: Run, context: ContextId): number {
  return run.contexts.get(context)?.credit ?? Infinity;
}

export function queueOf(run: Run, needs: NeedsKey): QueuedTask[] {
  let queue = run.queues.get(needs);
  if (queue === undefined) {
    queue = [];
    run.queues.set(needs, queue);
  }
  return queue;
}

export function queuedTasks(run: Run): number {
  let sum = 0;
  for (const queue of run.queues.values()) sum += queue.length;
  return sum;
}
