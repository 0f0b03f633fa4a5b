import { noRunSnapshot } from "../no-run.js";
import type { Snapshot } from "../store.js";
import { type Run, queuedTasks, wantedOfMember } from "./run.js";

export function snapshotOf(run: Run | undefined): Snapshot {
  if (run === undefined) return noRunSnapshot;
  return {
    open: true,
    token: run.token,
    driverBeat: run.beat,
    queued: queuedTasks(run),
    reports: run.reports.length,
    wanted: run.wanted,
    engines: [...run.engines].map(([engine, member]) => ({
      engine,
      context: member.context,
      rank: member.rank,
      info: member.info,
      renewal: member.renewal,
      stats: member.stats,
      claims: member.claims.size,
      wanted: wantedOfMember(run, member),
      state: member.state,
    })),
  };
}
