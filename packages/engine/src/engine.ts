import { hostname } from "node:os";
import { type ExchangeRequest, type KvsStore, TaskmusterError } from "@taskmuster/kvs";
import { type EngineId, type QueuedTask, contextId, engineId } from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { AllocationEnd } from "./core/allocation-end.js";
import { EngineCore } from "./core/engine-core.js";
import { IdleTimeout } from "./core/idle-timeout.js";
import { DriverWatch } from "./driver-watch.js";
import type { EngineConfig } from "./engine-config.js";
import { EngineLog } from "./engine-log.js";
import { Heartbeat, type Renew } from "./heartbeat.js";
import { type Joined, type JoiningWorld, joinRun } from "./joining.js";
import type { Launcher, LauncherEvents, Timeout } from "./launcher/launcher.js";
import { slotPlaces } from "./slot-places.js";
import { StoreLink, type StoreLinkOptions } from "./store-link.js";
import { StoreWatch } from "./store-watch.js";

/** Bounds on one exchange with the store, so that no script runs long. */
const maxReports = 512;
const maxBytes = 4 * 1024 * 1024;
const bellMs = 20_000;
const reminderMs = 250;
/** How often to look whether it is time to go. */
const lookMs = 1_000;
/** A scheduler's signals reach all processes of a job within less. */
const holdMs = 700;
const mostRefusals = 3;

export interface EngineWorld extends JoiningWorld {
  readonly store: KvsStore;
  /** To the same server, or what has taken its place. */
  readonly connect: StoreLinkOptions["connect"];
  /** Resolves when whoever started this engine is gone. */
  readonly starterGone: Promise<void>;
}

/** `signal`: one that a scheduler sends to all that runs in an allocation. */
export type StopCause = "order" | "signal";

/**
 * One engine from joining to leaving. Resolves when it has left: everything that it ran is dead and reported,
 * or nobody is there any more to report to.
 */
export class Engine {
  readonly #id: EngineId;
  readonly #host = hostname();
  readonly #config: EngineConfig;
  readonly #world: EngineWorld;
  readonly #link: StoreLink;
  readonly #ended: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #core: EngineCore | null = null;
  #launcher: Launcher | null = null;
  #journal: EngineLog | null = null;
  #allocationEnd: AllocationEnd | null = null;
  readonly #timers = new Map<"reminder" | "held", NodeJS.Timeout>();
  #heartbeat: Heartbeat | null = null;
  #stopped: { readonly why: string; readonly cause: StopCause } | null = null;
  #refusals = 0;
  #ending = false;

  constructor(config: EngineConfig, world: EngineWorld) {
    this.#id = engineId(config.engine);
    this.#config = config;
    this.#world = world;
    this.#link = new StoreLink(world.store, {
      connect: world.connect,
      isPrivate: config.address.private,
    });
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A failure before `run` waits for it must not count as unhandled.
    this.#ended.catch(() => undefined);
  }

  /** Throws `TaskmusterError` when it cannot join, cannot run tasks, or loses the store for good. */
  async run(): Promise<void> {
    const events = this.#launcherEvents();
    try {
      const joined = await joinRun(this.#id, this.#host, this.#config, this.#link, this.#world, events);
      this.#launcher = joined.launcher;
      this.#openLog(joined);
      // It may have died while we joined.
      await joined.launcher.start();
      await this.#work(joined);
    } finally {
      await this.#launcher?.close();
      await this.#link.close();
    }
  }

  /** Stops what runs, hands back what waits, and leaves. */
  stop(why: string, cause: StopCause): void {
    this.#log?.warn({ why }, "stopping");
    this.#stopped = { why, cause };
    if (cause === "signal") this.#core?.onStopSignal(why);
    else this.#core?.stop(why);
  }

  /** Something odd that a developer may want to know of. */
  note(message: string, fields: Readonly<Record<string, unknown>>): void {
    this.#log?.warn(fields, message);
  }

  async #work(joined: Joined): Promise<void> {
    const { starterGone } = this.#world;
    const { leaseMs } = joined.run;
    const core = this.#makeCore(joined);
    this.#core = core;
    const driver = new DriverWatch(leaseMs, starterGone, () => performance.now());
    const storeWatch = new StoreWatch(leaseMs, performance.now(), starterGone);
    const renew: Renew = (request, then) => this.#link.ask((store) => store.renew(request), then);
    const heartbeat = new Heartbeat(renew, this.#id, leaseMs, () => core.stats, {
      onAnswer: (answer) => {
        storeWatch.onAnswer();
        driver.onBeat(answer.driverBeat);
        core.onAcknowledged(answer.acknowledged);
        core.onWanted(answer.wanted);
        if (driver.givesUp(core.idle, core.holdsResults))
          this.#abandon("the driver is gone and nobody has taken the run over");
      },
      onLease: (ms) => joined.launcher.setDeadline(ms),
    });
    const look = this.#lookRegularly(core, storeWatch, joined);
    this.#heartbeat = heartbeat;
    this.#comeBackWhenForgotten(core, heartbeat, joined);
    heartbeat.start();
    if (this.#stopped === null) core.begin();
    else this.stop(this.#stopped.why, this.#stopped.cause);
    void this.#listen();
    try {
      await this.#ended;
    } finally {
      heartbeat.stop();
      clearInterval(look);
      for (const timer of this.#timers.values()) clearTimeout(timer);
    }
  }

  #comeBackWhenForgotten(core: EngineCore, heartbeat: Heartbeat, { rank, info }: Joined): void {
    const context = contextId(this.#config.context);
    this.#link.keep({
      identity: { engine: this.#id, context, info, rank },
      announce: () => core.announce(),
      onForgotten: (why) => {
        heartbeat.stop();
        this.#log?.warn({ why }, "the store has forgotten this run; what runs here goes on");
      },
      onAnnounced: (answer) => {
        this.#log?.info({ acknowledged: answer.acknowledged }, "announced to the store what is here");
        heartbeat.start();
        core.onAnnounced(answer);
        void this.#listen();
        if (core.phase === "left") void this.#leave(core.why);
      },
      onError: (error) => this.#fail(error),
    });
  }

  #makeCore({ rank, run, needs, launcher, shares }: Joined): EngineCore {
    const { coresPerTask } = this.#config;
    launcher.setSlots(slotPlaces(run, { engineRank: rank, coresPerTask }, shares));
    const core: EngineCore = new EngineCore(
      {
        engine: this.#id,
        host: this.#host,
        slots: shares.slots,
        coresPerTask,
        perEngineEnv: shares.perEngine,
        holdsFailures: this.#config.allocation,
        maxReports,
        maxBytes,
        ...(this.#config.mostAhead === undefined ? {} : { mostAhead: this.#config.mostAhead }),
      },
      {
        launch: (tag, command, env) => launcher.launch({ tag, command, env }),
        enqueue: (tag, command, env, timeoutMs) =>
          launcher.enqueue({ tag, command, env, timeout: timeoutOf(timeoutMs, run.graceMs) }),
        recall: () => launcher.recall(),
        stop: (tag, graceMs) => launcher.stop(tag, graceMs),
        exchange: (request) => void this.#exchange(request),
        remind: () => this.#after("reminder", reminderMs, () => core.onReminder()),
        leave: (why) => void this.#leave(why),
      },
      { rank, run, needs },
    );
    return core;
  }

  /** Looks every second whether it is time to go. */
  #lookRegularly(core: EngineCore, store: StoreWatch, { endsAt }: Joined): NodeJS.Timeout {
    const { idleTimeoutMs } = this.#config;
    const start = performance.now();
    const idle = idleTimeoutMs === null ? null : new IdleTimeout(idleTimeoutMs, start);
    this.#allocationEnd = endsAt === null ? null : new AllocationEnd(start + endsAt - Date.now(), start);
    return setInterval(() => {
      const now = performance.now();
      core.onSecond();
      this.#tellLimits();
      if (store.givesUp(now)) this.#fail(noAnswer(store.silentSeconds));
      else if (this.#allocationEnd?.isNear(now) === true) this.#drain("the allocation ends");
      else if (idleTimeoutMs !== null && idle?.look(now, core.launches, core.busy) === "idle")
        this.#drain(`idle for ${idleTimeoutMs / 1000} s`);
    }, lookMs);
  }

  #launcherEvents(): LauncherEvents {
    return {
      onEnds: (results) => {
        for (const result of results) {
          this.#journal?.taskEnded(result);
          if (this.#core?.phase === "running" && !result.stopped)
            this.#allocationEnd?.taskTook(result.elapsed * 1000);
        }
        this.#core?.onTaskEnds(results);
        this.#tellLimits();
        this.#lookAfterHeld();
      },
      onRecalled: (tags) => this.#core?.onRecalled(tags),
      onFenced: () => this.#log?.error("not heard by the store for too long: all tasks were killed"),
      onFailure: (why) => {
        this.#log?.error({ why }, "the launcher died; its tasks were killed");
        this.#launcher?.start().catch((error: unknown) => this.#fail(error));
      },
    };
  }

  #tellLimits(): void {
    if (this.#core !== null) this.#journal?.tellLimits(this.#core.stats);
  }

  #lookAfterHeld(): void {
    if (this.#core?.holds !== true || this.#timers.has("held")) return;
    this.#after("held", holdMs, () => {
      this.#core?.onHeldDue();
      this.#lookAfterHeld();
    });
  }

  #after(name: "reminder" | "held", ms: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      then();
    }, ms);
    this.#timers.set(name, timer);
  }

  async #exchange(request: ExchangeRequest): Promise<void> {
    await this.#link.ask(
      (store) => store.exchange(request),
      (answer) => this.#core?.onExchanged(answer, Date.now() / 1000),
    );
  }

  /** Until the store forgets; then again when it is told who we are. */
  async #listen(): Promise<void> {
    const { life } = this.#link;
    while (!this.#ending && life === this.#link.life) {
      await this.#link.ask(
        (store) => store.waitForBell(this.#id, bellMs),
        // Also when it was silent: the ring may have gone to a wait of ours whose connection broke without the server's knowing.
        () => this.#core?.onBell(),
      );
    }
  }

  #drain(why: string): void {
    const phase = this.#core?.phase;
    if (phase === "starting" || phase === "running") this.#log?.info({ why }, "takes nothing new");
    this.#core?.drain(why);
  }

  async #leave(why: string): Promise<void> {
    if (this.#ending) return;
    const heartbeat = this.#heartbeat;
    await this.#link.ask(
      async (store) => {
        // What it has done shall stand there when it is gone.
        if (heartbeat !== null) await store.renew(heartbeat.next());
        return (await store.leave(this.#id, why)) ? null : store.claimsOf(this.#id, maxReports);
      },
      (claims) => (claims === null ? this.#onLeft(why) : this.#onLeaveRefused(claims)),
    );
  }

  #onLeaveRefused(claims: readonly QueuedTask[]): void {
    this.#log?.error({ claims: claims.length }, "the store holds claims of ours that we do not know");
    if (++this.#refusals > mostRefusals) throw leaveRefused();
    this.#core?.onLeaveRefused(claims);
  }

  #onLeft(why: string): void {
    const heartbeatLateMs = Math.round(this.#heartbeat?.mostLateMs ?? 0);
    this.#log?.info({ ...this.#core?.stats, why, heartbeatLateMs }, "left");
    const failure = this.#core?.failure ?? null;
    if (failure !== null) throw new TaskmusterError("E_LAUNCH", failure);
    this.#end();
  }

  /** Leaves although results are not acknowledged: the tasks count as not done. */
  #abandon(why: string): void {
    this.#log?.error({ why }, "leaving with results that nobody has taken");
    this.#core?.stopTasks(0);
    this.#end();
  }

  #end(): void {
    this.#ending = true;
    this.#resolve();
  }

  #fail(error: unknown): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#log?.fatal({ err: error }, "failed");
    this.#core?.stopTasks(0);
    this.#reject(error);
  }

  #openLog({ rank, run, shares }: Joined): void {
    const path = `${run.prefix}_${this.#config.context}_${this.#host}_engine_${rank}.log`;
    this.#journal = new EngineLog(path, this.#config.logLevel);
    this.#log?.info({ engine: this.#id, rank, host: this.#host, slots: shares.slots }, "joined");
    for (const note of shares.notes) this.#log?.warn({ note }, "resources of this node");
  }

  get #log(): Logger | null {
    return this.#journal?.logger ?? null;
  }
}

function timeoutOf(timeoutMs: number | null, graceMs: number): Timeout | null {
  return timeoutMs === null ? null : { afterMs: timeoutMs, graceMs };
}

function noAnswer(seconds: number): TaskmusterError {
  return new TaskmusterError(
    "E_KVS_LOST",
    `the key-value store has not answered for ${seconds} s; all tasks here were killed long ago`,
  );
}

function leaveRefused(): TaskmusterError {
  return new TaskmusterError("E_BUG", "the store holds claims of this engine that it cannot give back");
}
