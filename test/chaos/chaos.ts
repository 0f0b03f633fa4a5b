import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { Random } from "../fuzz/random.js";
import { Drivers } from "./drivers.js";
import { examine } from "./evidence.js";
import { Inflictor } from "./inflict.js";
import type { Options } from "./options.js";
import { type Process, killAll, processesIn, signal } from "./processes.js";
import { Schedule } from "./schedule.js";
import { type ChaosStore, externalStore, privateStore } from "./store.js";
import { makeList, taskScript, turnsScript } from "./task-list.js";
import type { Verdict } from "./verdict.js";

export interface Outcome extends Verdict {
  readonly seconds: number;
  /** How often each fault was inflicted. */
  readonly inflicted: ReadonlyMap<string, number>;
  readonly drivers: number;
  /** Why drivers gave up, and how often. */
  readonly refusals: ReadonlyMap<string, number>;
  readonly contexts: number;
  readonly journalLines: number;
}

/** After the last fault the list must come to its end within this, */
const patienceMs = 600_000;
/** and then nothing of the run may live for longer than this. */
const farewellMs = 60_000;

/** One run of a list under faults, in `directory`, and the verdict on it. */
export async function chaos(
  options: Options,
  directory: string,
  say: (text: string) => void,
): Promise<Outcome> {
  mkdirSync(directory, { recursive: true });
  const store = options.store === "private" ? privateStore(directory) : await externalStore(directory);
  const run = new ChaosRun(options, directory, store, say);
  try {
    return await run.run();
  } finally {
    await run.end();
  }
}

class ChaosRun {
  readonly #options: Options;
  readonly #directory: string;
  readonly #places: readonly string[];
  readonly #say: (text: string) => void;
  readonly #list: ReturnType<typeof makeList>;
  readonly #store: ChaosStore;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #drivers: Drivers;
  #contexts = 0;
  /** Contexts, and the store that each was shown. */
  readonly #alive = new Map<ChildProcess, string>();
  #over = false;

  constructor(options: Options, directory: string, store: ChaosStore, say: (text: string) => void) {
    this.#options = options;
    this.#directory = directory;
    this.#places = [...new Set([directory, store.temporary])];
    this.#say = say;
    this.#store = store;
    this.#list = makeList(new Random(`${options.seed} list`), options.tasks);
    this.#environment = { ...process.env, TMPDIR: store.temporary };
    const settings = [...store.settings, "--lease", `${options.leaseSeconds}`, "--max-losses", "1000000"];
    const [places, environment] = [this.#places, this.#environment];
    this.#drivers = new Drivers({ directory, places, environment, settings, say });
  }

  async run(): Promise<Outcome> {
    const { seed, seconds, faults, leaseSeconds, everyMs } = this.#options;
    await this.#prepare();
    const begunAt = performance.now();
    const drivers = this.#drivers;
    const inflictor = new Inflictor({
      places: this.#places,
      store: this.#store,
      drivers,
      random: new Random(`${seed} victims`),
      say: this.#say,
    });
    await drivers.begin();
    const kept = this.#keepContexts();
    const schedule = new Schedule(new Random(`${seed} faults`), { leaseMs: 1000 * leaseSeconds, everyMs });
    const since = performance.now();
    const isOver = (): boolean =>
      drivers.isOver || inflictor.count >= faults || performance.now() - since > 1000 * seconds;
    while (!isOver()) {
      const { afterMs, fault } = schedule.next();
      await delay(afterMs);
      if (!drivers.isOver) await inflictor.inflict(fault);
    }
    await inflictor.quiet();
    this.#say("no more faults");
    const ended = await Promise.race([
      drivers.over.then(() => true),
      delay(patienceMs, false, { ref: false }),
    ]);
    this.#over = true;
    await kept;
    const left = ended ? await this.#farewell() : [];
    const verdict = await examine(this.#directory, drivers.prefix, this.#list, inflictor.killedTasks);
    return {
      ...verdict,
      faults: [
        ...drivers.faults,
        ...(ended ? [] : [`the run has not ended within ${patienceMs / 1000} s`]),
        ...left.map(({ pid, name }) => `lives on after the run: ${pid} ${name}`),
        ...verdict.faults,
      ],
      seconds: Math.round((performance.now() - begunAt) / 1000),
      inflicted: inflictor.counts,
      drivers: drivers.count,
      refusals: drivers.refusals,
      contexts: this.#contexts,
    };
  }

  /** Nothing of it is left. */
  async end(): Promise<void> {
    this.#over = true;
    await killAll(this.#places);
    await this.#store.close();
  }

  async #prepare(): Promise<void> {
    writeFileSync(path.join(this.#directory, "tasks"), this.#list.text);
    writeFileSync(path.join(this.#directory, "task.sh"), taskScript);
    writeFileSync(path.join(this.#directory, "turns.sh"), turnsScript);
    await promisify(execFile)("mkfifo", [path.join(this.#directory, "never")]);
  }

  async #keepContexts(): Promise<void> {
    const { engines, slots } = this.#options;
    const options = { cwd: this.#directory, env: this.#environment, stdio: "ignore" } as const;
    while (!this.#over && !this.#drivers.isOver) {
      const prefix = path.join(this.#directory, this.#drivers.prefix);
      const script = `${prefix}_dbUtil.sh`;
      const there = processesIn(this.#places).filter(({ role }) => role === "engine").length;
      const store = this.#store.beforeUse(`${prefix}_kvsinfo.txt`);
      // Those of a store that is gone wait for it, for a while; those whose context was killed go on.
      const serving = [...this.#alive.values()].filter((each) => each === store).length;
      if (store !== null && serving < engines && there < 2 * engines && existsSync(script)) {
        const context = spawn(script, ["-s", `localhost:${slots}`], options);
        this.#contexts++;
        this.#alive.set(context, store);
        context.on("error", () => undefined).once("close", () => this.#alive.delete(context));
      }
      await delay(300);
    }
  }

  /** Whoever is there although the run has ended. Engines of a store that is gone would wait for it for a while: their contexts are told not to. */
  async #farewell(): Promise<readonly Process[]> {
    const since = performance.now();
    for (const { pid, role } of processesIn(this.#places)) if (role === "context") signal(pid, "SIGTERM");
    for (;;) {
      const left = processesIn(this.#places);
      if (left.length === 0 || performance.now() - since > farewellMs) return left;
      await delay(100);
    }
  }
}
