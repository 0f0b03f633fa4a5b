import type {
  LaunchPlace,
  LaunchRequest,
  Launcher,
  LauncherEvents,
} from "../../../packages/engine/src/launcher/launcher.js";
import { SimProcess } from "../time/process.js";
import type { Place } from "../truth/truth.js";
import { Pipe } from "../wire/pipe.js";
import { Route } from "../wire/route.js";
import { type Command, Guardian, type GuardianEvents } from "./guardian.js";
import type { World } from "./world.js";

/** The engine's end of its launcher: pipes to a guardian, which outlives it by as long as it takes to kill the trees. */
export class SimLauncher implements Launcher {
  readonly pid = undefined;
  readonly guardian: Guardian;
  readonly guardianProcess: SimProcess;
  readonly #commands: Pipe<Command>;
  readonly #world: World;
  #closed: Promise<void> | null = null;
  #onGone: () => void = () => undefined;

  constructor(world: World, engine: SimProcess, place: Place, events: LauncherEvents) {
    this.#world = world;
    const { clockwork, random } = world;
    const route = new Route(clockwork, random, pipeMs);
    this.guardianProcess = new SimProcess(clockwork, engine.host, `${engine.name}'s guardian`);
    const all: GuardianEvents = {
      onEnds: (results) => events.onEnds(results),
      onRecalled: (tags) => events.onRecalled(tags),
      onFenced: () => events.onFenced(),
      onGone: () => this.#onGone(),
    };
    const news = new Pipe<(to: GuardianEvents) => void>(clockwork, route, engine, (tell) => tell(all));
    this.guardian = new Guardian(world, this.guardianProcess, place, (tell) => news.push(tell));
    this.#commands = new Pipe<Command>(clockwork, route, this.guardianProcess, (command) =>
      this.guardian.on(command),
    );
    engine.onDeath(() => this.#commands.push({ kind: "end" }));
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#world.clockwork.after(startMs, this.#world.clockwork.current, resolve);
    });
  }

  setSlots(slots: readonly LaunchPlace[]): void {
    this.#commands.push({ kind: "slots", slots });
  }

  launch(request: LaunchRequest): void {
    this.#commands.push({ kind: "launch", request });
  }

  enqueue(request: LaunchRequest): void {
    this.#commands.push({ kind: "enqueue", request });
  }

  recall(): void {
    this.#commands.push({ kind: "recall" });
  }

  stop(tag: number, graceMs: number): void {
    this.#commands.push({ kind: "stop", tag, graceMs });
  }

  setDeadline(ms: number): void {
    this.#commands.push({ kind: "deadline", ms });
  }

  close(): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      this.#onGone = resolve;
      this.#commands.push({ kind: "end" });
    });
    return this.#closed;
  }
}

const pipeMs = 0.1;
const startMs = 20;
