import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { KvsStore } from "@taskmuster/kvs";
import {
  type FencingToken,
  type Report,
  type RunInfo,
  type Snapshot,
  attempt,
  decodeReport,
  encodeRunInfo,
  encodeTask,
  needsKey,
  runId,
  taskId,
} from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll } from "vitest";
import { runInfo } from "../../../kvs/test/run-info.js";
import { TestServer, onPath } from "../../../kvs/test/test-server.js";
import type { EngineConfig } from "../../src/engine-config.js";
import { processesIn, until } from "../launcher/rig.js";

const run = runId("engineprocess");
const oneCore = needsKey({ cores: 1 });

/** The engine's program, made anew from its sources. */
export async function bundleEngine(): Promise<{ readonly script: string; readonly remove: () => void }> {
  const directory = mkdtempSync(join(tmpdir(), "engine-program-"));
  const script = join(directory, "engine.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("../../src/engine-main.ts", import.meta.url))],
    outfile: script,
    bundle: true,
    platform: "node",
    format: "esm",
    loader: { ".lua": "text", ".pl": "text", ".sh": "text" },
    banner: {
      js: [
        "import{createRequire as makeRequire}from'node:module';const require=makeRequire(import.meta.url);",
        "const __filename='';const __dirname='';",
      ].join(""),
    },
    define: { "process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED": '"true"' },
    external: ["msgpackr-extract"],
    logLevel: "error",
  });
  return { script, remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** For the tests of a file: a fresh program, and what opens a run of the one that is being tried. */
export function useRuns(): {
  readonly script: () => string;
  readonly open: (options?: RunOptions) => Promise<Run>;
} {
  let program: Awaited<ReturnType<typeof bundleEngine>> | null = null;
  let open: Run | null = null;
  beforeAll(async () => {
    program = await bundleEngine();
  });
  afterAll(() => program?.remove());
  afterEach(async () => {
    await open?.close();
    open = null;
  });
  const script = (): string => program?.script ?? "";
  return {
    script,
    open: async (options) => {
      open = await Run.open(script(), options);
      return open;
    },
  };
}

export interface RunOptions {
  readonly start?: readonly string[];
  readonly stop?: readonly string[];
  readonly startMustSucceed?: boolean;
  readonly cwd?: string;
  readonly prefix?: string;
}

/** A run on a real server whose driver takes what engines tell. */
export class Run {
  readonly directory: string;
  readonly server: TestServer;
  readonly store: KvsStore;
  readonly reports: Report[] = [];
  readonly #token: FencingToken;
  readonly #script: string;
  readonly #engines: EngineProcess[] = [];
  readonly #driver: Promise<void>;
  #published = 0;
  #closing = false;

  private constructor(
    script: string,
    directory: string,
    server: TestServer,
    store: KvsStore,
    token: FencingToken,
  ) {
    this.#script = script;
    this.directory = directory;
    this.server = server;
    this.store = store;
    this.#token = token;
    this.#driver = this.#drive();
  }

  static async open(script: string, options: RunOptions = {}): Promise<Run> {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), "engine-test-")));
    const server = await TestServer.start(onPath("redis-server") ?? "redis-server");
    const store = await connectRedisStore({ address: server.address, runId: run, role: "driver" });
    const token = await store.open(encodeRunInfo(infoOf(directory, options)));
    return new Run(script, directory, server, store, token);
  }

  async publish(...commands: readonly string[]): Promise<void> {
    const tasks = commands.map((command) => {
      const id = this.#published++;
      const numbers = { id: taskId(id), attempt: attempt(1) };
      const body = encodeTask({
        ...numbers,
        line: id + 1,
        repeatIndex: -1,
        timeoutMs: null,
        command: Buffer.from(command),
      });
      return { ...numbers, needs: oneCore, body };
    });
    await this.store.publish(this.#token, this.#published, tasks);
  }

  start(config: Partial<EngineConfig> = {}, options: ProcessOptions = {}): EngineProcess {
    const engine = new EngineProcess(
      this.#script,
      {
        runId: run,
        address: this.server.address,
        engine: `engine${String(this.#engines.length).padStart(4, "0")}`,
        context: "T0",
        cores: 2,
        slots: 2,
        coresPerTask: 1,
        launcher: "auto",
        logLevel: "info",
        allocation: false,
        envResources: [],
        idleTimeoutMs: null,
        ...config,
      },
      this.directory,
      options,
    );
    this.#engines.push(engine);
    return engine;
  }

  snapshot(): Promise<Snapshot> {
    return this.store.snapshot();
  }

  /** `task 3 exit 1`, sorted. */
  told(): readonly string[] {
    return this.reports
      .map(({ kind, id, outcome }) => {
        const value =
          outcome.kind === "exited"
            ? ` ${outcome.code}`
            : outcome.kind === "signalled"
              ? ` ${outcome.signal}`
              : "";
        return `${kind} ${id} ${outcome.kind}${value}`;
      })
      .toSorted();
  }

  /** Waits for a fact; no longer than its engines live, unless that is waited for. */
  async until<Fact>(
    what: string,
    probe: () => Fact | undefined | false | Promise<Fact | undefined | false>,
  ): Promise<Fact> {
    return until(what, async () => {
      const failed = this.#engines.find((engine) => engine.failed);
      if (failed !== undefined) throw new Error(`an engine failed: ${failed.stderr}`);
      return probe();
    });
  }

  /** Why the engine is no member any more; undefined while it is one. */
  async why(engine: EngineProcess): Promise<string | undefined> {
    const found = (await this.snapshot()).engines.find((each) => each.engine === engine.id);
    return found === undefined || found.state === "member" ? undefined : found.why;
  }

  written(name: string): Promise<string> {
    return this.until(`a line in ${name}`, () => {
      const text = this.read(name);
      return text.endsWith("\n") && text.trim();
    });
  }

  read(name: string): string {
    try {
      return readFileSync(join(this.directory, name), "utf8");
    } catch {
      return "";
    }
  }

  engineLog(): string {
    const name = readdirSync(this.directory).find((each) => each.endsWith(".log"));
    return name === undefined ? "" : this.read(name);
  }

  async close(): Promise<void> {
    for (const engine of this.#engines) await engine.end();
    this.#closing = true;
    await this.#driver;
    await this.store.disconnect();
    await this.server.stop();
    // Its guardian is at work once an engine is dead.
    const gone = until("the end of its processes", () => processesIn(this.directory).length === 0);
    await gone.catch(() => undefined);
    const left = processesIn(this.directory);
    for (const pid of left) if (pid > 1) process.kill(pid, "SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left behind: processes ${left.join(" ")}`);
  }

  /** Takes results until it is closed, or the server is gone for good. */
  async #drive(): Promise<void> {
    try {
      while (!this.#closing) {
        const { from, reports } = await this.store.receive(this.#token, 100);
        this.reports.push(...reports.map(({ body }) => decodeReport(body)));
        if (reports.length > 0) await this.store.acknowledge(this.#token, from + reports.length);
        else await delay(10);
      }
    } catch (error) {
      if (!this.#closing && this.server !== undefined) throw error;
    }
  }
}

export interface ProcessOptions {
  readonly cwd?: string;
  /** Comes before its command line: another user, a limit. */
  readonly through?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One engine as a context starts it. */
export class EngineProcess {
  readonly id: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stderr = "";

  constructor(
    script: string,
    config: EngineConfig,
    directory: string,
    { cwd, env, through = [] }: ProcessOptions,
  ) {
    this.id = config.engine;
    const [file, ...args] = [...through, process.execPath, script];
    this.#child = spawn(file, args, {
      cwd: cwd ?? directory,
      env: { ...process.env, DIR: directory, ...env },
      stdio: ["pipe", "ignore", "pipe"],
      detached: true,
    });
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.#exited = new Promise((resolve) =>
      this.#child.once("close", (code, signal) => resolve({ code, signal })),
    );
    this.say(JSON.stringify(config));
  }

  get failed(): boolean {
    return this.#child.exitCode !== null && this.#child.exitCode !== 0;
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined || pid <= 1) throw new Error("the engine does not run");
    return pid;
  }

  say(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  get exited(): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    return Promise.race([
      this.#exited,
      delay(30_000, undefined, { ref: false }).then(() => {
        throw new Error(`the engine does not end; it said: ${this.stderr}`);
      }),
    ]);
  }

  /** Its guardian kills what it ran. */
  async end(): Promise<void> {
    this.#child.kill("SIGCONT");
    this.#child.kill("SIGKILL");
    await this.#exited;
  }
}

function infoOf(directory: string, options: RunOptions): RunInfo {
  const commands = (texts: readonly string[] = []): RunInfo["perEngine"]["start"] =>
    texts.map((text, index) => ({ line: index + 1, command: Buffer.from(text) }));
  return runInfo({
    cwd: options.cwd ?? directory,
    prefix: options.prefix ?? join(directory, "run"),
    perEngine: { start: commands(options.start), stop: commands(options.stop) },
    startMustSucceed: options.startMustSucceed ?? false,
  });
}
