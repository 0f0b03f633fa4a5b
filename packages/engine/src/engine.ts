import { hostname } from "node:os";
import type { ExchangeRequest, KvsStore } from "@taskmuster/kvs";
import { TaskmusterError } from "@taskmuster/kvs";
import {
  type EngineId,
  contextId,
  decodeRunInfo,
  encodeEngineInfo,
  protocolVersion,
} from "@taskmuster/kvs/protocol";
import type { Logger } from "pino";
import { EngineCore } from "./core/engine-core.js";
import type { EngineConfig } from "./engine-config.js";
import { Heartbeat } from "./heartbeat.js";
import type { Launcher, LauncherEvents } from "./launcher/launcher.js";
import { openLog } from "./log.js";
import { DriverWatch } from "./driver-watch.js";

/** Bounds on one exchange with the store, so that no script runs long. */
const maxReports = 512;
const maxBytes = 4 * 1024 * 1024;
const bellMs = 20_000;
const reminderMs = 50;

export interface EngineWorld {
  readonly store: KvsStore;
  readonly launcher: (events: LauncherEvents) => Promise<Launcher>;
  /** Resolves when whoever started this engine is gone. */
  readonly starterGone: Promise<void>;
}

/**
 * One engine from joining to leaving. Resolves when it has left: everything that it ran is dead and reported,
 * or nobody is there any more to report to.
 */
export class Engine {
  readonly #id: EngineId;
  readonly #config: EngineConfig;
  readonly #world: EngineWorld;
  readonly #ended: Promise<void>;
  #resolve: () => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #core: EngineCore | null = null;
  #launcher: Launcher | null = null;
  #log: Logger | null = null;
  #heartbeat: Heartbeat | null = null;
  #reminder: NodeJS.Timeout | null = null;
  #ending = false;

  constructor(id: EngineId, config: EngineConfig, world: EngineWorld) {
    this.#id = id;
    this.#config = config;
    this.#world = world;
    this.#ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // A failure before `run` waits for it must not count as unhandled.
    this.#ended.catch(() => undefined);
  }

  /** Throws `TaskmusterError` when it cannot join or loses the store for good. */
  async run(): Promise<void> {
    const { store } = this.#world;
    const host = hostname();
    const [joined, launcher] = await Promise.all([
      store.join({
        engine: this.#id,
        context: contextId(this.#config.context),
        info: encodeEngineInfo({
          version: protocolVersion,
          host,
          pid: process.pid,
          slots: this.#config.slots,
          cores: this.#config.cores,
        }),
      }),
      this.#startLauncher(),
    ]);
    if (joined.kind === "noRun")
      throw new TaskmusterError("E_KVS_LOST", "the run has ended; nothing to join");
    const run = decodeRunInfo(joined.runInfo);
    const logFile = `${run.prefix}_${this.#config.context}_${host}_engine_${joined.rank}.log`;
    this.#log = openLog(logFile, this.#config.logLevel);
    this.#log.info({ engine: this.#id, rank: joined.rank, host, slots: this.#config.slots }, "joined");

    const core = new EngineCore(
      {
        engine: this.#id,
        host,
        slots: this.#config.slots,
        coresPerTask: this.#config.coresPerTask,
        maxReports,
        maxBytes,
      },
      {
        launch: (tag, command, env) => launcher.launch({ tag, command, env }),
        stop: (tag, graceMs) => launcher.stop(tag, graceMs),
        exchange: (request) => void this.#exchange(request),
        remind: () => {
          this.#reminder = setTimeout(() => core.onReminder(), reminderMs);
        },
        leave: () => void this.#leave(),
      },
      { rank: joined.rank, run, needs: joined.needs },
    );
    this.#core = core;

    const watch = new DriverWatch(run.leaseMs, this.#world.starterGone, () => performance.now());
    this.#heartbeat = new Heartbeat(store, this.#id, run.leaseMs, () => core.stats, {
      onAnswer: (answer) => {
        watch.onBeat(answer.driverBeat);
        core.onAcknowledged(answer.acknowledged);
        core.onWanted(answer.wanted);
        if (watch.givesUp(core.idle)) this.#abandon("the driver is gone and nobody has taken the run over");
      },
      onLease: (ms) => launcher.setDeadline(ms),
      onError: (error) => this.#fail(error),
    });
    this.#heartbeat.start();
    core.begin();
    void this.#listen();
    try {
      await this.#ended;
    } finally {
      this.#heartbeat.stop();
      if (this.#reminder !== null) clearTimeout(this.#reminder);
      await launcher.close();
      await store.disconnect();
    }
  }

  /** Stops what runs, hands back what waits, and leaves. */
  stop(why: string): void {
    this.#log?.warn({ why }, "stopping");
    if (this.#core === null) this.#fail(new TaskmusterError("E_LAUNCH", why));
    this.#core?.onWanted("stop");
  }

  async #startLauncher(): Promise<Launcher> {
    const launcher = await this.#world.launcher(this.#launcherEvents());
    this.#launcher = launcher;
    await launcher.start();
    return launcher;
  }

  #launcherEvents(): LauncherEvents {
    return {
      onEnd: (result) => {
        this.#log?.debug({ tag: result.tag, pid: result.pid, outcome: result.outcome }, "task ended");
        this.#core?.onTaskEnd(result);
      },
      onFenced: () => this.#log?.error("not heard by the store for too long: all tasks were killed"),
      onFailure: (why) => {
        this.#log?.error({ why }, "the launcher died; its tasks were killed");
        this.#launcher?.start().catch((error: unknown) => this.#fail(error));
      },
    };
  }

  async #exchange(request: ExchangeRequest): Promise<void> {
    const sentAt = performance.now();
    try {
      const answer = await this.#world.store.exchange(request);
      this.#core?.onExchanged(answer, performance.now() - sentAt);
    } catch (error) {
      this.#fail(error);
    }
  }

  async #listen(): Promise<void> {
    try {
      while (!this.#ending) {
        const heard = await this.#world.store.waitForBell(this.#id, bellMs);
        if (heard === "rung") this.#core?.onBell();
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  async #leave(): Promise<void> {
    if (this.#ending) return;
    try {
      await this.#world.store.leave(this.#id);
      this.#log?.info({ ...this.#core?.stats }, "left");
      this.#end();
    } catch (error) {
      this.#fail(error);
    }
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
}
