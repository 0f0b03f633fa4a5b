import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Fault } from "./schedule.js";
import { killAll, signal, standsStill } from "./processes.js";

export const bin = fileURLToPath(new URL("../../bin/driver", import.meta.url));

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

interface Driver {
  readonly child: ChildProcess;
  readonly args: readonly string[];
  words: string;
}

/** Why a driver may give up although the list is not done: somebody has to go on with the run then. */
const passing: readonly (readonly [RegExp, string])[] = [
  [/Another driver has taken this run over/, "replaced"],
  [/is at work: process \d+ on this host/, "the old driver is at work"],
  [/another recovery of .* is at work/, "another recovery is at work"],
  [/cannot reach the run's key-value store|cannot use the key-value store/, "the store cannot be reached"],
  [/went out of its key-value store while|went away while the run was taken over/, "the store went away"],
  [/private Redis server (is lost|died)|cannot start (a|the) private server/, "the private store is lost"],
];

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
  #current: Driver | null = null;
  /** That were stopped, or recover the run at the same time: one of them may have the run. */
  readonly #others = new Set<Driver>();

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
    return this.#hasBegun && this.#current !== null && isAlive(this.#current)
      ? (this.#current.child.pid ?? null)
      : null;
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
          await this.#killed(victim);
          await delay(ms);
          this.#recover();
        };
      case "contest":
        return async () => {
          await this.#killed(victim);
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
    const child = spawn(bin, args, { cwd: directory, env: environment, stdio: ["ignore", "pipe", "pipe"] });
    say(`driver ${this.#count} is ${child.pid}: ${args.join(" ")}`);
    const driver: Driver = { child, args, words: "" };
    this.#current = driver;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        driver.words = (driver.words + text).slice(-4_000);
      });
    child.once("close", (code, bySignal) => {
      if (bySignal !== "SIGKILL") this.#onEnd(driver, code);
    });
  }

  #onEnd(driver: Driver, code: number | null): void {
    this.#others.delete(driver);
    const wasCurrent = driver === this.#current;
    if (wasCurrent) this.#current = null;
    if (code === 0 || /has ended \(finished/.test(driver.words)) {
      if (code === 0 && this.#isOver) this.#fault("two drivers ended well", driver);
      this.#isOver = true;
      return this.#end();
    }
    if (this.#isOver) return;
    const reason = passing.find(([pattern]) => pattern.test(driver.words))?.[1];
    if (reason === undefined) {
      this.#fault(`a driver ended with ${code}`, driver);
      this.#isOver = true;
      return this.#end();
    }
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1);
    this.#options.say(`driver ${driver.child.pid} ended with ${code}: ${reason}`);
    if (wasCurrent) this.#goOn(driver);
  }

  /** As a person would who was told that it did not work. */
  #goOn({ words }: Driver): void {
    for (const other of this.#others) {
      if (!words.includes(`is at work: process ${other.child.pid} on`)) continue;
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

  async #killed({ child }: Driver): Promise<void> {
    const closed = new Promise((resolve) => child.once("close", resolve));
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    signal(child.pid, "SIGKILL");
    await closed;
  }

  async #replace(old: Driver, ms: number): Promise<void> {
    const { pid } = old.child;
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
        await this.#killed(old);
        this.#others.delete(old);
      }
      await delay(50);
    }
  }

  #fault(what: string, { args, words }: Driver): void {
    this.faults.push(`${what}: driver ${args.join(" ")}: ${words}`);
  }
}

function isAlive({ child }: Driver): boolean {
  return child.exitCode === null && child.signalCode === null;
}

const againMs = 300;
const patienceMs = 120_000;
