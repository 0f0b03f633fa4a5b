import type { KvsStore } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import type {
  BegunConfig,
  EngineEnd,
  EngineHandle,
} from "../../../packages/engine/src/context/engine-handle.js";
import { Engine } from "../../../packages/engine/src/engine.js";
import { type Host, SimProcess } from "../time/process.js";
import { StoreClient } from "../wire/store-client.js";
import { SimLauncher } from "./sim-launcher.js";
import type { World } from "./world.js";

interface Started {
  readonly host: Host;
  /** Who started it. */
  readonly starter: SimProcess;
  /** On another host: the connection to it may break, and proves nothing then. */
  readonly remote: boolean;
}

/** The program of engine-main.ts on some host, with whatever can befall it. */
export class EngineProcess implements EngineHandle {
  readonly process: SimProcess;
  readonly gone: Promise<EngineEnd>;
  readonly remote: boolean;
  context = "";
  id = "";
  #launcher: SimLauncher | null = null;
  #client: StoreClient | null = null;
  #engine: Engine | null = null;
  #end: { readonly ok: boolean; readonly message: string } = {
    ok: false,
    message: "engine ended with SIGKILL",
  };
  readonly #world: World;
  readonly #started: Started;
  #tell: (end: EngineEnd) => void = () => undefined;
  #allocation = false;
  #begun = false;

  constructor(world: World, started: Started) {
    this.#world = world;
    this.#started = started;
    this.remote = started.remote;
    this.process = new SimProcess(world.clockwork, started.host, `engine${world.engines.length}`);
    world.engines.push(this);
    this.gone = new Promise((resolve) => {
      this.#tell = resolve;
    });
    this.process.onDeath(() => this.#onDeath());
    started.starter.onDeath(() => {
      // It was never told what to do, and its input ends.
      if (!this.#begun) world.clockwork.after(1, this.process, () => this.#exit(true, ""));
    });
  }

  /** Not even its guardian is left. */
  get isGone(): boolean {
    return this.process.isDead && (this.#launcher?.guardianProcess.isDead ?? true);
  }

  get works(): boolean {
    return !this.process.isDead && this.#engine !== null;
  }

  begin(config: BegunConfig): void {
    const { clockwork, random } = this.#world;
    this.#begun = true;
    clockwork.after(50 + random.int(400), this.process, () => void this.#main(config));
  }

  terminate(): void {
    this.#world.clockwork.after(1, this.process, () => this.#stop("SIGTERM"));
  }

  kill(): void {
    this.#world.clockwork.after(1, null, () => this.process.die());
  }

  /** SIGSTOP, and SIGCONT so much later. Its guardian goes on. */
  pause(ms: number): void {
    this.process.stop();
    this.#world.clockwork.after(ms, null, () => this.process.resume(this.#world.random));
  }

  /** Its machine is gone, with all that ran there. */
  crash(): void {
    this.#launcher?.guardianProcess.die();
    this.process.die();
  }

  cut(ms: number): void {
    this.#client?.cut(ms);
  }

  reset(): void {
    this.#client?.reset();
  }

  /** A scheduler ends its step: all processes get the signal, at about the same time. */
  schedulerSignals(): void {
    const { clockwork, random } = this.#world;
    if (!this.#allocation) return;
    for (const tree of this.#launcher?.guardian.trees ?? []) tree.warn(random.int(300));
    clockwork.after(random.int(300), this.process, () => this.#stop("SIGTERM"));
  }

  /** Somebody kills one of its tasks. */
  hitTask(): void {
    const trees = this.#launcher?.guardian.trees ?? [];
    if (trees.length > 0) this.#world.random.pick(trees).hit();
  }

  /** Who started it hears no more of it. */
  loseStarter(): void {
    this.#toStarter({ ok: false, message: "the connection broke", proven: false, exitStatus: 255 });
  }

  async #main(config: BegunConfig): Promise<void> {
    const { bug } = this.#world;
    const client = new StoreClient(this.#world, this.process);
    this.#client = client;
    const connect = async (signal?: AbortSignal): Promise<KvsStore> => {
      const store = await client.connect(runId(config.runId), signal === undefined ? {} : { signal });
      return bug.engineStore?.(store) ?? store;
    };
    const store = await connect();
    this.context = config.context;
    this.id = config.engine;
    this.#allocation = config.allocation;
    const place = {
      engine: this.process.name,
      id: config.engine,
      slots: config.slots,
      context: `${config.runId}/${config.context}`,
    };
    const starterGone = new Promise<void>((resolve) => {
      const tell = (): void => void this.#world.clockwork.after(1, this.process, resolve);
      if (this.#started.starter.isDead) tell();
      else this.#started.starter.onDeath(tell);
    });
    this.#engine = new Engine(config, {
      store,
      connect,
      starterGone,
      launcher: async (events) => {
        this.#launcher = new SimLauncher(this.#world, this.process, place, events);
        return this.#launcher;
      },
    });
    this.#world.say(
      this.process.name,
      () => `begins, with ${config.slots} slots, in context ${config.context}`,
    );
    this.#engine.run().then(
      () => this.#exit(true, ""),
      (error: unknown) => this.#exit(false, error instanceof Error ? error.message : String(error)),
    );
  }

  #stop(why: string): void {
    if (this.#engine === null) this.#exit(true, "");
    else this.#engine.stop(why, this.#allocation ? "signal" : "order");
  }

  #exit(ok: boolean, message: string): void {
    this.#end = { ok, message: ok ? "" : `engine ended with exit status 1: ${message}` };
    this.process.die();
  }

  #onDeath(): void {
    const { clockwork, random, truth } = this.#world;
    this.#world.say(this.process.name, () => `is dead: ${this.#end.message}`);
    const guardian = this.#launcher?.guardianProcess;
    const crashed = guardian?.isDead === true && !this.#end.ok;
    if (crashed) truth.onCrash(this.process.name);
    // A machine that is gone says nothing; in the end the connection to it does.
    if (crashed && this.remote)
      return void clockwork.after(5000 + random.int(60_000), null, () => this.loseStarter());
    const tell = (): void => {
      this.#toStarter({ ...this.#end, proven: true, exitStatus: this.#end.ok ? 0 : 1 });
    };
    if (guardian === undefined || guardian.isDead) tell();
    else guardian.onDeath(tell);
  }

  #toStarter(end: EngineEnd): void {
    this.#world.clockwork.after(1, this.#started.starter, () => this.#tell(end));
  }
}
