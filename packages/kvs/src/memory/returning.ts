import type { EngineId } from "../protocol/index.js";
import type {
  AnnounceAnswer,
  AnnounceRequest,
  Greeting,
  RemainingContext,
  RemainingEngine,
} from "../store.js";
import { strongest } from "../wanted.js";
import { feedStarved, ringIdle } from "./ring.js";
import { type Run, claimsOfMember, contextState, newMember, queuedTasks, wantedOfMember } from "./run.js";

// How a run comes back after the server has forgotten it. Each twin of a script in ../redis/scripts.

export function restore(
  run: Run,
  contexts: readonly RemainingContext[],
  engines: readonly RemainingEngine[],
): void {
  let grew = false;
  for (const each of contexts) grew = restoreContext(run, each) || grew;
  for (const { engine, wanted, context, rank, info, renewal, stats } of engines) {
    const member = run.engines.get(engine);
    if (member === undefined) {
      const awaited = { state: "awaited", greeted: true } as const;
      const contextWanted = contextState(run, context).wanted;
      const known = { context, rank, info, renewal, stats, contextWanted, wanted };
      run.engines.set(engine, newMember({ ...known, ...awaited }));
      run.ranks = Math.max(run.ranks, rank + 1);
    } else member.wanted = strongest(member.wanted, wanted);
    run.chimes.add(engine);
  }
  if (!grew) return;
  feedStarved(run);
  ringIdle(run, queuedTasks(run));
}

/** Whether it may claim more than before. */
function restoreContext(run: Run, { context, nonce, info, granted, wanted }: RemainingContext): boolean {
  if (!run.enrolments.has(context)) run.enrolments.set(context, { nonce, info });
  const state = contextState(run, context);
  state.wanted = strongest(state.wanted, wanted);
  if (granted === null) return false;
  const more = granted - state.granted;
  state.granted = granted;
  state.credit = (state.credit ?? 0) + more;
  return more > 0;
}

export function greet(run: Run, engine: EngineId): Greeting | null {
  const member = run.engines.get(engine);
  if (member === undefined) return null;
  if (member.state !== "awaited") member.greeted = true;
  return { announced: member.announced, claimed: member.claimed };
}

export function announce(run: Run, request: AnnounceRequest): AnnounceAnswer {
  const { engine, context, info, rank, seq, acknowledged, claimed, claims, last } = request;
  let member = run.engines.get(engine);
  if (member === undefined) {
    const contextWanted = contextState(run, context).wanted;
    member = newMember({ context, rank, info, state: "awaited", contextWanted });
    run.engines.set(engine, member);
    run.ranks = Math.max(run.ranks, rank + 1);
  }
  if (member.state === "awaited" && seq > member.seq) {
    for (const task of claims) {
      member.claims.set(task.id, task);
      // Should it give this back, others must know of the queue. What has ended never comes back.
      if (task.body.length > 0 && !run.needs.includes(task.needs)) run.needs.push(task.needs);
    }
    member.seq = seq;
    member.reported = acknowledged;
    member.acknowledged = acknowledged;
    if (last) {
      member.state = "member";
      member.greeted = false;
      member.announced = claimsOfMember(member);
      member.claimed = claimed;
      run.chimes.add("driver");
    }
  }
  return {
    kind: "announced",
    acknowledged: member.acknowledged,
    wanted: wantedOfMember(run, member),
    needs: [...run.needs],
  };
}
