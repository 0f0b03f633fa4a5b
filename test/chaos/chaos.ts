import { type ChildProcess, execFile, spawn } from "node:child_process";
import {
  appendFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { TestServer, onPath } from "../../packages/kvs/test/test-server.js";
import { Random } from "../fuzz/random.js";
import { Inflictor } from "./inflict.js";
import { Journal } from "./journal.js";
import { Link } from "./link.js";
import type { Options } from "./options.js";
import { processesIn, signal } from "./processes.js";
import { Schedule } from "./schedule.js";
import { makeList, taskScript, turnsScript } from "./task-list.js";
import { type Audited, type Verdict, judge } from "./verdict.js";

const bin = fileURLToPath(new URL("../../bin/driver", import.meta.url));
const execute = promisify(execFile);

export interface Outcome extends Verdict {
  readonly seconds: number;
  /** How often each fault was inflicted. */
  readonly inflicted: ReadonlyMap<string, number>;
  readonly drivers: number;
  readonly contexts: number;
  readonly journalLines: number;
}

/** After the last fault the list must come to its end within this. */
const patienceMs = 600_000;

/** One run of a list under faults, in `directory`, and the verdict on it. */
export async function chaos(
  options: Options,
  directory: string,
  say: (text: string) => void,
): Promise<Outcome> {
  const run = await ChaosRun.begin(options, directory, say);
  try {
    return await run.run();
  } finally {
    await run.end();
  }
}

interface DriverEnd {
  readonly code: number | null;
  readonly words: string;
}

class ChaosRun {
  readonly #options: Options;
  readonly #directory: string;
  readonly #say: (text: string) => void;
  readonly #list: ReturnType<typeof makeList>;
  readonly #server: TestServer;
  readonly #link: Link;
  #prefix = "run";
  #driver: ChildProcess | null = null;
  #drivers = 0;
  #contexts = 0;
  readonly #alive = new Set<ChildProcess>();
  #over = false;
  #resolve: (end: DriverEnd) => void = () => undefined;
  readonly #ended: Promise<DriverEnd>;

  private constructor(
    options: Options,
    directory: string,
    say: (text: string) => void,
    parts: { readonly server: TestServer; readonly link: Link },
  ) {
    this.#options = options;
    this.#directory = directory;
    this.#say = say;
    this.#server = parts.server;
    this.#link = parts.link;
    this.#list = makeList(new Random(`${options.seed} list`), options.tasks);
    this.#ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  static async begin(options: Options, directory: string, say: (text: string) => void): Promise<ChaosRun> {
    mkdirSync(directory, { recursive: true });
    const server = await TestServer.start(onPath("redis-server") ?? "redis-server");
    const link = await Link.open(path.join(server.directory, "link"), server.socket);
    const run = new ChaosRun(options, directory, say, { server, link });
    writeFileSync(path.join(directory, "tasks"), run.#list.text);
    writeFileSync(path.join(directory, "task.sh"), taskScript);
    writeFileSync(path.join(directory, "turns.sh"), turnsScript);
    await execute("mkfifo", [path.join(directory, "never")]);
    return run;
  }

  async run(): Promise<Outcome> {
    const { seed, seconds, leaseSeconds, everyMs, killsStore } = this.#options;
    const begunAt = performance.now();
    const inflictor = new Inflictor({
      directory: this.#directory,
      server: this.#server,
      link: this.#link,
      random: new Random(`${seed} victims`),
      say: this.#say,
      onDriverKilled: () => this.#nextDriver(),
    });
    this.#start([]);
    await this.#begun();
    const kept = this.#keepContexts();
    const limits = { leaseMs: 1000 * leaseSeconds, everyMs, killsStore };
    const schedule = new Schedule(new Random(`${seed} faults`), limits);
    while (!this.#over && performance.now() - begunAt < 1000 * seconds) {
      const { afterMs, fault } = schedule.next();
      await delay(afterMs);
      if (!this.#over) await inflictor.inflict(fault);
    }
    await inflictor.quiet();
    this.#say("no more faults");
    const end = await Promise.race([this.#ended, delay(patienceMs, null, { ref: false })]);
    this.#over = true;
    await kept;
    const verdict = await this.#judge(end, inflictor.killedTasks);
    return {
      ...verdict,
      seconds: Math.round((performance.now() - begunAt) / 1000),
      inflicted: inflictor.counts,
      drivers: this.#drivers,
      contexts: this.#contexts,
    };
  }

  /** Nothing of it is left. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#killAll();
    await this.#link.close();
    await this.#server.stop();
  }

  #start(how: readonly string[]): void {
    const lease = String(this.#options.leaseSeconds);
    const store = `unix://${path.join(this.#server.directory, "link")}`;
    const settings = ["--kvsserver", store, "--lease", lease, "--max-losses", "1000000"];
    const args = how.includes("--recover") ? how : ["-S", "-p", this.#prefix, ...settings, ...how, "tasks"];
    this.#drivers++;
    const driver = spawn(bin, args, { cwd: this.#directory, stdio: ["ignore", "pipe", "pipe"] });
    this.#driver = driver;
    let words = "";
    for (const stream of [driver.stdout, driver.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => (words = (words + text).slice(-4_000)));
    driver.once("close", (code, bySignal) => {
      if (bySignal === "SIGKILL") return;
      this.#over = true;
      this.#resolve({ code, words });
    });
  }

  /** The driver was killed. Resolves when another one has had time to get to work. */
  async #nextDriver(): Promise<void> {
    const dead = this.#driver;
    if (dead !== null && dead.exitCode === null && dead.signalCode === null)
      await new Promise((resolve) => dead.once("close", resolve));
    const old = this.#prefix;
    if (this.#options.afterDriver === "recover") this.#start(["--recover", old]);
    else {
      await this.#killAll();
      this.#prefix = `run${this.#drivers}`;
      this.#start(["-r", `${old}_status.txt`]);
    }
    this.#say(`driver ${this.#drivers}: ${this.#prefix}`);
    await this.#begun();
  }

  /** The run is open, or over. */
  async #begun(): Promise<void> {
    const script = path.join(this.#directory, `${this.#prefix}_dbUtil.sh`);
    while (!this.#over && !existsSync(script)) await delay(50);
  }

  async #keepContexts(): Promise<void> {
    const { engines, slots } = this.#options;
    while (!this.#over) {
      const script = path.join(this.#directory, `${this.#prefix}_dbUtil.sh`);
      const there = processesIn(this.#directory).filter(({ role }) => role === "engine").length;
      if (Math.max(there, this.#alive.size) < engines && existsSync(script)) {
        const context = spawn(script, ["-s", `localhost:${slots}`], {
          cwd: this.#directory,
          stdio: "ignore",
        });
        this.#contexts++;
        this.#alive.add(context);
        context.on("error", () => undefined).once("close", () => this.#alive.delete(context));
      }
      await delay(300);
    }
  }

  /** Whatever a run has started, until nothing of it lives. */
  async #killAll(): Promise<void> {
    for (;;) {
      const there = processesIn(this.#directory);
      if (there.length === 0) return;
      for (const { pid } of there) signal(pid, "SIGKILL");
      await delay(50);
    }
  }

  async #judge(
    end: DriverEnd | null,
    killedTasks: number,
  ): Promise<Verdict & { readonly journalLines: number }> {
    const status = path.join(this.#directory, `${this.#prefix}_status.txt`);
    const journal = new Journal(this.#list.barriers);
    const file = path.join(this.#directory, "journal");
    // When no task has begun there is none.
    appendFileSync(file, "");
    const lines = createInterface({ input: createReadStream(file) });
    for await (const line of lines) journal.read(line);
    const rows = readFileSync(status, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    const account = journal.account();
    const audited = await this.#audit(status);
    const verdict = judge({ list: this.#list, rows, account, audited, killedTasks });
    const how =
      end === null
        ? `the run has not ended within ${patienceMs / 1000} s`
        : `the driver ended with ${end.code}: ${end.words}`;
    const faults = end?.code === 0 ? verdict.faults : [how, ...verdict.faults];
    return { ...verdict, faults, journalLines: account.lines };
  }

  async #audit(status: string): Promise<Audited> {
    const dbutil = bin.replace(/driver$/, "dbutil");
    const args = ["audit", "--json", "--list", "tasks", status];
    const options = { cwd: this.#directory, maxBuffer: 256 * 1024 * 1024 };
    const said = await execute(dbutil, args, options).catch((error: unknown) => {
      if (error instanceof Error && "stdout" in error && error.stdout !== "")
        return { stdout: String(error.stdout) };
      throw error;
    });
    return JSON.parse(said.stdout) as Audited;
  }
}
