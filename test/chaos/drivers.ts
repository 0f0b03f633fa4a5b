import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { DriverProcess } from "./driver-process.js";
import type { Fault } from "./schedule.js";
import { killAll, signal, standsStill } from "./processes.js";

export interface DriversOptions {
  /** Where the run is. */
  readonly directory: string;
  /** Where all that it starts lives. */
  readonly places: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Of a new run. */
  readonly settings: readonly string[];
  readonly say: (text: string) => void;
}

/** The drivers of a run, one after another, until one of them ends well. */
export class Drivers {
  /** Why drivers gave up, and how often. */
  readonly refusals = new Map<string, number>();
  readonly faults: string[] = [];
  /** Resolves when the run is over. */
  readonly over: Promise<void>;
  readonly #options: DriversOptions;
  #end: () => void = () => undefined;
  #isOver = false;
  #runs = 0;
  #prefix = "";
  /** The last one that had begun. */
  #resumes: string | null = null;
  #count = 0;
  #current: DriverProcess | null = null;
  /** That were stopped, or recover the run at the same time: one of them may have the run. */
  readonly #others = new Set<DriverProcess>();

  constructor(options: DriversOptions) {
    this.#options = options;
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  get prefix(): string {
    return this.#prefix;
  }

  get count(): number {
    return this.#count;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Null: there is none, or it has not begun yet. */
  get pid(): number | null {
    return this.#hasBegun && this.#current?.isAlive === true ? (this.#current.pid ?? null) : null;
  }

  /** A new run. Resolves when it is open, or over. */
  async begin(): Promise<void> {
    this.#startRun();
    while (!this.#isOver && !this.#hasBegun) await delay(50);
  }

  /** Null: there is no driver. Else what is left to do; it resolves when another one is there. */
  kill(how: Extract<Fault, { kind: "driver" }>["how"], ms: number): (() => Promise<void>) | null {
    const victim = this.#current;
    if (this.pid === null || victim === null) return null;
    this.#current = null;
    switch (how) {
      case "take over":
        return async () => {
          await victim.kill();
          await delay(ms);
          this.#recover();
        };
      case "contest":
        return async () => {
          await victim.kill();
          await delay(ms);
          this.#recover();
          const rival = this.#current;
          this.#current = null;
          this.#recover();
          if (rival !== null) this.#others.add(rival);
        };
      case "replace":
        return () => this.#replace(victim, ms);
      case "outage":
      case "resume":
        return async () => {
          await killAll(this.#options.places);
          this.#others.clear();
          if (this.#isOver) return;
          if (how === "outage") return this.#recover();
          this.#resumes = this.#prefix;
          await this.begin();
        };
    }
  }

  get #hasBegun(): boolean {
    return existsSync(path.join(this.#options.directory, `${this.#prefix}_dbUtil.sh`));
  }

  #startRun(): void {
    this.#prefix = this.#runs === 0 ? "run" : `run${this.#runs}`;
    this.#runs++;
    const how = this.#resumes === null ? [] : ["-r", `${this.#resumes}_status.txt`];
    this.#start(["-S", "-p", this.#prefix, ...this.#options.settings, ...how, "tasks"]);
  }

  #recover(): void {
    if (!this.#isOver && this.#current === null) this.#start(["--recover", this.#prefix]);
  }

  #start(args: readonly string[]): void {
    const { directory, environment, say } = this.#options;
    this.#count++;
    const driver = new DriverProcess(args, { cwd: directory, env: environment }, (ended, code) =>
      this.#onEnd(ended, code),
    );
    this.#current = driver;
    say(`driver ${this.#count} is ${driver.pid}: ${args.join(" ")}`);
  }

  #onEnd(driver: DriverProcess, code: number | null): void {
    this.#others.delete(driver);
    const wasCurrent = driver === this.#current;
    if (wasCurrent) this.#current = null;
    if (code === 0 || driver.cameTooLate) {
      if (code === 0 && this.#isOver) this.#fault("two drivers ended well", driver);
      this.#isOver = true;
      return this.#end();
    }
    if (this.#isOver) return;
    const { reason } = driver;
    if (reason === null) {
      this.#fault(`a driver ended with ${code}`, driver);
      this.#isOver = true;
      return this.#end();
    }
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
    this.#options.say(`driver ${driver.pid} ended with ${code}: ${reason}`);
    if (wasCurrent) this.#goOn(driver);
  }

  /** As a person would who was told that it did not work. */
  #goOn(ended: DriverProcess): void {
    for (const other of this.#others) {
      if (!ended.yieldedTo(other)) continue;
      this.#others.delete(other);
      this.#current = other;
      return;
    }
    setTimeout(() => {
      if (this.#isOver || this.#current !== null) return;
      if (this.#hasBegun) this.#recover();
      else this.#startRun();
    }, againMs);
  }

  async #replace(old: DriverProcess, ms: number): Promise<void> {
    const { pid } = old;
    if (pid === undefined || !signal(pid, "SIGSTOP")) return;
    await standsStill(pid);
    this.#others.add(old);
    this.#recover();
    await delay(ms);
    signal(pid, "SIGCONT");
    const since = performance.now();
    while (this.#others.has(old)) {
      if (performance.now() - since > patienceMs) {
        this.#fault(`a driver that was replaced lives on (${pid})`, old);
        await old.kill();
        this.#others.delete(old);
      }
      await delay(50);
    }
  }

  #fault(what: string, { args, words }: DriverProcess): void {
    this.faults.push(`${what}: driver ${args.join(" ")}: ${words}`);
  }
}

const againMs = 300;
const patienceMs = 120_000;
