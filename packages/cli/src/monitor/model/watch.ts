import type { ContextId, EngineId, RunState } from "@taskmuster/kvs/protocol";
import { type EngineSighting, contextPicture, longAgo } from "./contexts.js";
import type { EngineLook, RunLook } from "./look.js";
import { Pace } from "./pace.js";
import type { ContextPicture, Picture, Totals } from "./picture.js";

/**
 * Makes one picture of many looks. All times are this monitor's own, monotonic, in ms: no two machines' clocks are compared
 * where it matters. After a pause of the monitor itself everybody gets the pause back, as what they did meanwhile could not be seen.
 */
export class Watch {
  readonly #pace = new Pace();
  #engines = new Map<EngineId, EngineSighting>();
  #contextGone = new Map<ContextId, number>();
  #beat = { value: -1, changedAt: 0 };
  #lastLook: number | null = null;

  /** `everyMs`: how often this is meant to be called. */
  see(look: RunLook, now: number, everyMs: number): Picture {
    const isFirst = this.#lastLook === null;
    const pause = this.#lastLook === null ? 0 : Math.max(0, now - this.#lastLook - 2 * everyMs);
    this.#lastLook = now;
    this.#beat =
      look.driverBeat === this.#beat.value
        ? { value: look.driverBeat, changedAt: this.#beat.changedAt + pause }
        : { value: look.driverBeat, changedAt: now };
    this.#engines = new Map(
      look.engines.map((engine) => [engine.id, this.#sighting(engine, now, pause, isFirst)]),
    );
    const contexts = this.#contexts(look, now, isFirst);
    const slots = sum(contexts, ({ slots: each }) => each);
    const busy = sum(contexts, ({ busy: each }) => each);
    const totals = totalsOf(look.run, busy);
    const elapsedSeconds = look.run === null ? 0 : Math.max(0, (look.run.now - look.run.startedAt) / 1000);
    this.#pace.sample(totals.done, now);
    const rate = this.#pace.rate(elapsedSeconds);
    return {
      run: look.run,
      totals,
      elapsedSeconds,
      rate,
      secondsLeft: secondsLeft(look.run, totals, rate, slots),
      driverSilentMs: now - this.#beat.changedAt,
      contexts,
      slots,
      busy,
      engines: sum(contexts, ({ up }) => up),
    };
  }

  #sighting(engine: EngineLook, now: number, pause: number, isFirst: boolean): EngineSighting {
    const before = this.#engines.get(engine.id);
    const gone = engine.membership !== "member";
    const heardAt =
      before === undefined || before.renewal !== engine.renewal ? now : before.heardAt + (gone ? 0 : pause);
    const goneSince = gone ? (before?.goneSince ?? (isFirst ? longAgo : now)) : null;
    return { renewal: engine.renewal, heardAt, goneSince };
  }

  #contexts(look: RunLook, now: number, isFirst: boolean): readonly ContextPicture[] {
    const members = new Map<ContextId, EngineLook[]>(look.contexts.map(({ id }) => [id, []]));
    for (const engine of look.engines) members.get(engine.context)?.push(engine);
    const goneBefore = this.#contextGone;
    this.#contextGone = new Map();
    return look.contexts.map((context) => {
      const goneSince = goneBefore.get(context.id) ?? null;
      const sighting = { engines: this.#engines, goneSince, isFirst, now };
      const picture = contextPicture(look, context, members.get(context.id) ?? [], sighting);
      if (picture.goneSince !== null) this.#contextGone.set(context.id, picture.goneSince);
      return picture;
    });
  }
}

function totalsOf(run: RunState | null, busy: number): Totals {
  if (run === null) {
    return {
      total: null,
      done: 0,
      failed: 0,
      running: busy,
      skipped: 0,
      skippedFailed: 0,
      left: 0,
      retried: 0,
      lost: 0,
      perEngineFailed: 0,
    };
  }
  const { total, done, failed, skipped, skippedFailed, outstanding, retried, lost, perEngineFailed } = run;
  // What engines say of themselves is some seconds old: it must not promise more than there is.
  const unfinished = total === null ? outstanding : Math.max(0, total - done - skipped);
  const running = Math.min(busy, unfinished);
  const left = unfinished - running;
  return { total, done, failed, running, skipped, skippedFailed, left, retried, lost, perEngineFailed };
}

function secondsLeft(
  run: RunState | null,
  totals: Totals,
  rate: number | null,
  slots: number,
): number | null {
  if (run?.phase !== "running" || totals.total === null || rate === null || rate <= 0) return null;
  // The first round of tasks tells nothing yet about how long a task takes.
  return totals.done <= slots ? null : (totals.left + totals.running) / rate;
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += of(item);
  return total;
}
