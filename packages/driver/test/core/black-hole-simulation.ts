import { type EngineId, engineId } from "@taskmuster/kvs/protocol";
import { BlackHoles } from "../../src/core/black-holes.js";
import { PublishOrder } from "../../src/core/publish-order.js";
import { Survivors } from "../../src/core/survivors.js";

/** How a task ends where nothing is wrong with the engine. */
export interface Fate {
  readonly failed: boolean;
  readonly seconds: number;
}

export interface SimulatedEngine {
  readonly slots: number;
  /** Everything fails there, within so many seconds. */
  readonly holeSeconds?: number;
}

export interface Simulation {
  readonly tasks: number;
  readonly fateOf: (task: number, random: () => number) => Fate;
  readonly engines: readonly SimulatedEngine[];
  readonly seed: number;
  /** Tasks claimed beyond free slots, and the window. */
  readonly ahead?: number;
  readonly window?: number;
  /** Part of each duration that is chance. */
  readonly jitter?: number;
}

export interface Verdict {
  readonly engine: number;
  /** So many tasks had failed there by then. */
  readonly failed: number;
}

const quickSeconds = 5;
const lookSeconds = 5;

export function randomOf(seed: number): () => number {
  let state = Math.imul(seed + 1, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

interface Running {
  readonly engine: number;
  readonly task: number;
  readonly failed: boolean;
  readonly began: number;
  readonly end: number;
}

/**
 * A whole run by the clock: a list through a window and a queue to engines that pull, as driver and engines do it, and the detector as the
 * driver feeds it, asked after every single end. Who is convicted is drained.
 */
export function simulate(plan: Simulation): readonly Verdict[] {
  const random = randomOf(plan.seed);
  const ids = plan.engines.map((_, index): EngineId => engineId(`engine${String(index).padStart(4, "0")}`));
  const slots = plan.engines.reduce((sum, engine) => sum + engine.slots, 0);
  const window = plan.window ?? 2 * slots;
  const order = new PublishOrder(plan.seed);
  let published = 0;
  const holes = new BlackHoles({ published: () => published });
  holes.setEngines(ids.map((engine, index) => ({ engine, slots: plan.engines[index]?.slots ?? 1 })));
  const survivors = ids.map(() => new Survivors(quickSeconds * 1000));
  const drained = new Set<number>();
  const failedOn = plan.engines.map(() => 0);
  const waiting: number[][] = plan.engines.map(() => []);
  const queue: number[] = [];
  let running: Running[] = [];
  const verdicts: Verdict[] = [];
  let read = 0;
  let outstanding = 0;
  let now = 0;
  let lookAt = lookSeconds;

  const publish = (): void => {
    const batch: number[] = [];
    while (read < plan.tasks && outstanding < window) {
      batch.push(read++);
      outstanding++;
    }
    if (batch.length === 0) return;
    if (holes.mixes) order.shuffle(batch);
    published = Math.max(published, ...batch.map((task) => task + 1));
    if (holes.mixes && order.where() === "front") queue.unshift(...batch.toReversed());
    else queue.push(...batch);
  };
  const start = (engine: number, task: number): void => {
    const { holeSeconds } = plan.engines[engine] ?? {};
    const fate = plan.fateOf(task, random);
    const { failed, seconds } = holeSeconds === undefined ? fate : { failed: true, seconds: holeSeconds };
    const took = seconds * (1 + (plan.jitter ?? 0) * (random() - 0.5));
    running.push({ engine, task, failed, began: now, end: now + took });
  };
  const claim = (engine: number): void => {
    const mine = waiting[engine] ?? [];
    const used = running.filter((each) => each.engine === engine).length;
    const free = (plan.engines[engine]?.slots ?? 0) - used;
    for (let slot = 0; slot < free; slot++) {
      const task = mine.shift();
      if (task === undefined) break;
      start(engine, task);
    }
    if (drained.has(engine)) {
      queue.unshift(...mine.splice(0));
      return;
    }
    const left = (plan.engines[engine]?.slots ?? 0) - running.filter((each) => each.engine === engine).length;
    const share = Math.floor(queue.length / plan.engines.length);
    const room = left + Math.max(0, Math.min((plan.ahead ?? 0) - mine.length, share));
    for (const [index, task] of queue.splice(0, Math.max(0, room)).entries())
      if (index < left) start(engine, task);
      else mine.push(task);
  };
  const look = (): void => {
    for (const [index, engine] of ids.entries()) {
      const own = running.filter((each) => each.engine === index).map(({ task }) => task);
      const all = [...own, ...(waiting[index] ?? [])];
      for (const task of survivors[index]?.look(all, now * 1000) ?? []) holes.onSurvived(engine, task);
    }
  };
  const judge = (): void => {
    for (const { engine } of holes.convicted()) {
      const index = ids.indexOf(engine);
      if (drained.has(index)) continue;
      drained.add(index);
      verdicts.push({ engine: index, failed: failedOn[index] ?? 0 });
      holes.setEngines(
        ids.flatMap((each, at) =>
          drained.has(at) ? [] : [{ engine: each, slots: plan.engines[at]?.slots ?? 1 }],
        ),
      );
    }
  };

  publish();
  for (const index of ids.keys()) claim(index);
  while (running.length > 0) {
    const next = running.reduce((first, each) => (each.end < first.end ? each : first));
    while (lookAt < next.end && holes.suspects.length > 0) {
      now = lookAt;
      look();
      judge();
      lookAt += lookSeconds;
    }
    lookAt = Math.max(lookAt, next.end);
    now = next.end;
    running = running.filter((each) => each !== next);
    outstanding--;
    if (next.failed) failedOn[next.engine] = (failedOn[next.engine] ?? 0) + 1;
    const id = ids[next.engine];
    if (id !== undefined) holes.onEnd(id, next.task, next.failed && next.end - next.began < quickSeconds);
    judge();
    publish();
    claim(next.engine);
    // What was published may be for others that are idle.
    for (const index of ids.keys()) if (queue.length > 0 && index !== next.engine) claim(index);
  }
  return verdicts;
}
