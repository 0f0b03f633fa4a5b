import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "../bench.js";
import { type Running, endOf, run, start } from "../processes/run.js";
import { until } from "../processes/until.js";

interface JobInfo {
  readonly info: {
    readonly task_count: number;
    readonly task_stats: { readonly finished: number };
  };
}

interface JobTimes {
  readonly started_at?: string;
  readonly finished_at?: string;
}

/** A HyperQueue server of our own with workers on this machine. Encryption is off, as in HyperQueue's own benchmarks. */
export class HyperQueue {
  readonly #binary: string;
  readonly #directory: string;
  readonly #prefix: readonly string[];
  readonly #server: Running;
  readonly #workers: Running[] = [];

  private constructor(binary: string, directory: string, prefix: readonly string[]) {
    this.#binary = binary;
    this.#directory = directory;
    this.#prefix = prefix;
    this.#server = this.#start([
      "server",
      "start",
      "--host",
      "localhost",
      "--disable-client-authentication-and-encryption",
      "--disable-worker-authentication-and-encryption",
    ]);
  }

  /** Resolves when `workers` are registered, with so many cores each. To be stopped in any case. `prefix`: as of `onCores`. */
  static async start(
    bench: Bench,
    binary: string,
    workers: { readonly count: number; readonly cores: number },
    prefix: readonly string[] = [],
  ): Promise<HyperQueue> {
    const queue = new HyperQueue(binary, bench.fresh(), prefix);
    try {
      await until("the server of HyperQueue is up", () =>
        existsSync(join(queue.#directory, "hq-current", "access.json")),
      );
      const cores = ["--cpus", String(workers.cores), "--detect-resources", "none"];
      for (let worker = 0; worker < workers.count; worker++)
        queue.#workers.push(queue.#start(["worker", "start", ...cores, "--overview-interval", "0s"]));
      await until("the workers of HyperQueue are up", async () => {
        const { stdout } = await queue.call(["--output-mode", "json", "worker", "list"]);
        return (JSON.parse(stdout) as unknown[]).length === workers.count;
      });
    } catch (error) {
      await queue.stop();
      throw error;
    }
    return queue;
  }

  get serverPid(): number {
    return this.#server.pid;
  }

  get workerPids(): readonly number[] {
    return this.#workers.map(({ pid }) => pid);
  }

  async call(args: readonly string[]): Promise<{ readonly seconds: number; readonly stdout: string }> {
    return run([this.#binary, "--server-dir", this.#directory, ...args], { cwd: this.#directory });
  }

  /** Runs a command so many times, outputs off, until all have ended. Answers seconds. Throws unless all succeeded. */
  async array(tasks: number, command: readonly string[]): Promise<number> {
    const options = ["--array", `1-${tasks}`, "--stdout", "none", "--stderr", "none", "--wait"];
    const { seconds } = await this.call(["submit", ...options, "--", ...command]);
    await this.check(tasks);
    return seconds;
  }

  /** Seconds from the first start to the last end of the last job's tasks, as it recorded them. */
  async span(): Promise<number> {
    const { stdout } = await this.call(["--output-mode", "json", "job", "info", "last"]);
    const [job] = JSON.parse(stdout) as JobTimes[];
    const seconds = (Date.parse(job?.finished_at ?? "") - Date.parse(job?.started_at ?? "")) / 1000;
    if (Number.isNaN(seconds)) throw new Error(`HyperQueue does not tell when its job ran: ${stdout}`);
    return seconds;
  }

  /** Throws unless so many tasks of the last job have succeeded. */
  async check(tasks: number): Promise<void> {
    const { stdout } = await this.call(["--output-mode", "json", "job", "list", "--all"]);
    const job = (JSON.parse(stdout) as (JobInfo["info"] & { readonly id: number })[]).toSorted(
      (a, b) => b.id - a.id,
    )[0];
    const done = job?.task_stats.finished;
    if (done !== tasks) throw new Error(`HyperQueue finished ${done} of ${tasks} tasks`);
  }

  async stop(): Promise<void> {
    await this.call(["server", "stop"]).catch(() => undefined);
    for (const worker of this.#workers) await endOf(worker);
    await endOf(this.#server);
  }

  #start(args: readonly string[]): Running {
    const words = [...this.#prefix, this.#binary, "--server-dir", this.#directory, ...args];
    const running = start(words, { cwd: this.#directory });
    running.child.stdin?.end();
    return running;
  }
}
