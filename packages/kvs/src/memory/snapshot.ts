import { noRunSnapshot } from "../no-run.js";
import type { EngineId } from "../protocol/index.js";
import type { QueuedTask, Snapshot } from "../store.js";
import { strongest } from "../wanted.js";
import { type Run, queuedTasks, wantedOfMember } from "./run.js";

export function snapshotOf(run: Run | undefined): Snapshot {
  if (run === undefined) return noRunSnapshot;
  return {
    open: true,
    token: run.token,
    driverBeat: run.beat,
    state: run.state,
    queued: queuedTasks(run),
    reports: run.reports.length,
    wanted: run.wanted,
    contexts: [...run.enrolments].map(([context, { info, nonce }], rank) => {
      const state = run.contexts.get(context);
      const wanted = strongest(run.wanted, state?.wanted ?? "run");
      const credit = state?.credit === undefined ? null : Math.max(state.credit, 0);
      return { context, rank, nonce, info, wanted, credit };
    }),
    engines: [...run.engines].map(([engine, member]) => ({
      engine,
      context: member.context,
      rank: member.rank,
      info: member.info,
      renewal: member.renewal,
      stats: member.stats,
      claims: member.claims.size,
      wanted: wantedOfMember(run, member),
      state: member.state === "awaited" ? "member" : member.state,
      why: member.why,
      awaited: member.state === "awaited",
      greeted: member.greeted,
    })),
  };
}

export function claimsOf(run: Run | undefined, engine: EngineId, max: number): readonly QueuedTask[] {
  const claims = [...(run?.engines.get(engine)?.claims.values() ?? [])];
  return claims.toSorted((a, b) => a.id - b.id).slice(0, Math.max(max, 0));
}
