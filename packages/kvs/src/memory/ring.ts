import type { ContextId, EngineId } from "../protocol/index.js";
import { type Run, creditOf } from "./run.js";

/**
 * Rings as many idle engines as `tasks` can occupy, those with most free slots first. An engine leaves the list when it is
 * rung and comes back with its next exchange. One whose context has no credit waits in `starved`: it would
 * swallow a ring that another could use.
 */
export function ringIdle(run: Run, tasks: number): void {
  const left = new Map<ContextId, number>();
  const aside = new Map<EngineId, number>();
  let wanting = tasks;
  while (wanting > 0) {
    const engine = mostIdle(run);
    if (engine === undefined) break;
    const free = run.idle.get(engine) ?? 0;
    run.idle.delete(engine);
    const context = run.engines.get(engine)?.context;
    const credit = context === undefined ? Infinity : creditOf(run, context);
    const usable = context === undefined ? Infinity : (left.get(context) ?? credit);
    const slots = Math.min(free, usable);
    if (context !== undefined) left.set(context, usable - slots);
    if (slots > 0) {
      run.chimes.add(engine);
      wanting -= slots;
    } else if (credit > 0) aside.set(engine, free);
    else run.starved.set(engine, free);
  }
  for (const [engine, free] of aside) run.idle.set(engine, free);
}

/** There is credit again: the next ringing looks who can use it. */
export function feedStarved(run: Run): void {
  for (const [engine, free] of run.starved) run.idle.set(engine, free);
  run.starved.clear();
}

/** Of equals the one with the greatest id: as a sorted set of Redis has it. */
function mostIdle(run: Run): EngineId | undefined {
  let best: EngineId | undefined;
  let most = -1;
  for (const [engine, free] of run.idle) {
    if (free > most || (free === most && best !== undefined && engine > best)) {
      best = engine;
      most = free;
    }
  }
  return best;
}
