import { hostname } from "node:os";
import type { KvsStore } from "@taskmuster/kvs";
import {
  type ClaimedTask,
  type EngineSnapshot,
  type FencingToken,
  type Report,
  type Snapshot,
  decodeEngineInfo,
  decodeReport,
} from "@taskmuster/kvs/protocol";
import { MalformedMessageError } from "@taskmuster/kvs";
import type { ReceivedFrom } from "../core/driver-core.js";
import type { LedgerFile } from "../ledger-file.js";
import { type RunMarks, atWork, hostProcesses } from "./host-processes.js";
import { stateOfProcess } from "./process-stamp.js";

/** What a store has of a run that was just taken over. */
export interface TakenStore {
  readonly token: FencingToken;
  readonly claims: readonly ClaimedTask[];
  /** Attempts that were given up with an engine. */
  readonly lost: readonly ClaimedTask[];
  /** Not acknowledged, oldest first. */
  readonly reports: readonly ReceivedFrom[];
  readonly snapshot: Snapshot;
  /** Members, as far as is known alive. */
  readonly engines: readonly EngineSnapshot[];
}

/**
 * Takes the run over in its store. Null: it is not there. Engines of this host of which it is proven that they are dead, with all that they
 * ran, are expelled at once. The epoch must be in the ledger before anything is done with the answer; `onToken` sees to that.
 */
export async function takeStore(
  store: KvsStore,
  run: {
    readonly marks: RunMarks;
    readonly ledger: LedgerFile;
    readonly onToken: (token: FencingToken) => void;
    readonly onNotice: (message: string) => void;
  },
): Promise<TakenStore | null> {
  const taken = await store.takeOver();
  if (taken === null) return null;
  const { token } = taken;
  run.onToken(token);
  const lost: ClaimedTask[] = [...taken.expelled];
  let claims = taken.claims;
  const engines: EngineSnapshot[] = [];
  const snapshot = await store.snapshot();
  for (const engine of snapshot.engines) {
    if (engine.state !== "member") continue;
    if (!isDead(engine, run.marks)) {
      engines.push(engine);
      continue;
    }
    const why = "its process is gone";
    const tasks = await store.expel(token, engine.engine, why);
    run.ledger.begin({
      kind: "lostEngine",
      at: new Date().toISOString(),
      engine: engine.engine,
      rank: engine.rank,
      host: hostname(),
      why,
      tasks,
    });
    run.onNotice(`engine ${engine.rank} on ${hostname()} is lost (${why})`);
    lost.push(...tasks);
    const gone = new Set(tasks.map(({ id, attempt }) => `${id}:${attempt}`));
    claims = claims.filter(({ id, attempt }) => !gone.has(`${id}:${attempt}`));
  }
  return { token, claims, lost, reports: await allReports(store, token), snapshot, engines };
}

/** Proven for one of this host only. */
function isDead(engine: EngineSnapshot, marks: RunMarks): boolean {
  let info: ReturnType<typeof decodeEngineInfo>;
  try {
    info = decodeEngineInfo(engine.info);
  } catch (error) {
    if (error instanceof MalformedMessageError) return false;
    throw error;
  }
  if (info.host !== hostname() || stateOfProcess(info.pid, null) !== "gone") return false;
  const processes = hostProcesses();
  return processes !== null && atWork(processes, marks, engine.rank).length === 0;
}

/** As many as the window had, at most. */
async function allReports(store: KvsStore, token: FencingToken): Promise<readonly ReceivedFrom[]> {
  const all: ReceivedFrom[] = [];
  for (let position = 0; ;) {
    const { from, reports } = await store.receive(token, 2_000, position);
    if (reports.length === 0) return all;
    position = from + reports.length;
    for (const { engine, number, body } of reports) {
      const report = decoded(body);
      if (report !== null) all.push({ engine, number, report });
    }
  }
}

/** Null: whoever receives it later says what is wrong with it. */
function decoded(body: Uint8Array): Report | null {
  try {
    return decodeReport(body);
  } catch (error) {
    if (error instanceof MalformedMessageError) return null;
    throw error;
  }
}
