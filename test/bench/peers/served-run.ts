import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { EngineConfig } from "@taskmuster/engine";
import type { KvsStore } from "@taskmuster/kvs";
import { type ContextId, encodeContextInfo, engineId, protocolVersion } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { type RunAddress, readAddressFile } from "@taskmuster/kvs/server";
import type { Bench } from "../bench.js";
import { until } from "../processes/until.js";
import { type Running, endOf, start } from "../processes/run.js";
import type { ProcessWatch } from "../processes/watch.js";

export interface ServedOptions {
  /** Null: the list comes over standard input. */
  readonly list: string | null;
  /** As of `onCores`, for the driver and its Redis. */
  readonly prefix?: readonly string[];
  readonly options?: readonly string[];
  readonly watch?: ProcessWatch;
}

/**
 * A run of the built driver that waits for engines (`-S`), and a context of ours that brings them: as many engines on one host as
 * we want, of the shapes that we want. To be closed in any case.
 */
export class ServedRun {
  readonly directory: string;
  readonly driver: Running;
  readonly #watch: ProcessWatch | undefined;
  #store: KvsStore | null = null;
  #address: RunAddress | null = null;
  #context: ContextId | null = null;

  constructor(bench: Bench, { list, prefix = [], options = [], watch }: ServedOptions) {
    this.directory = bench.fresh();
    this.#watch = watch;
    const files = ["-p", join(this.directory, "x"), ...options, list ?? "-"];
    const args = [bench.program("bin/driver"), "-S", "--quiet", "--use-address", "localhost", ...files];
    this.driver = start([...prefix, ...args], {
      cwd: this.directory,
      onStart: ({ pid }) => watch?.add(pid ?? -1, "driver"),
    });
    if (list !== null) this.driver.child.stdin?.end();
  }

  get statusFile(): string {
    return join(this.directory, "x_status.txt");
  }

  /** Tasks for a run without a list; null: there are no more. */
  feed(lines: string | null): void {
    if (lines === null) this.driver.child.stdin?.end();
    else this.driver.child.stdin?.write(lines);
  }

  /** Resolves when engines may join. */
  async opens(): Promise<RunAddress> {
    const file = join(this.directory, "x_kvsinfo.txt");
    const script = join(this.directory, "x_dbUtil.sh");
    // The script is written when the run is there.
    await until("the run is open", () => existsSync(script), this.driver.finished);
    const address = readAddressFile(file);
    this.#address = address;
    this.#store = await connectRedisStore({ address, runId: address.runId, role: "context" });
    const info = encodeContextInfo({
      version: protocolVersion,
      kind: "local",
      host: hostname(),
      pid: process.pid,
      startedAt: Date.now(),
      limit: null,
      nodes: [],
      ended: "",
    });
    const nonce = randomBytes(8).toString("hex");
    const answer = await this.#store.enrol({ label: "BENCH", exactLabel: true, nonce, limit: null, info });
    if (answer.kind !== "enrolled") throw new Error(`the context was not enrolled: ${answer.kind}`);
    this.#context = answer.context;
    return address;
  }

  /** For an engine that runs nothing, unless told otherwise. Only when the run is open. */
  engineConfig(index: number, slots: number, change: Partial<EngineConfig> = {}): EngineConfig {
    if (this.#address === null || this.#context === null) throw new Error("the run is not open yet");
    const { runId, ...address } = this.#address;
    return {
      runId,
      address,
      engine: engineId(`bench${String(index).padStart(6, "0")}`),
      context: this.#context,
      cores: slots,
      slots,
      coresPerTask: 1,
      launcher: "noop",
      logLevel: "info",
      allocation: false,
      envResources: [],
      idleTimeoutMs: null,
      ...change,
    };
  }

  /** Of the engine of this rank. */
  engineLog(rank: number): string {
    return join(this.directory, `x_BENCH_${hostname()}_engine_${rank}.log`);
  }

  /** Resolves when the run is open and these engines know their way to it. */
  async take(
    engines: readonly Running[],
    shape: { readonly slots: number; readonly change?: Partial<EngineConfig> },
  ): Promise<void> {
    await this.opens();
    for (const [index, { child, pid }] of engines.entries()) {
      this.#watch?.add(pid, "engine");
      child.stdin?.write(`${JSON.stringify(this.engineConfig(index, shape.slots, shape.change))}\n`);
    }
  }

  /** Ends what is left. */
  async close(): Promise<void> {
    await this.#store?.disconnect();
    await endOf(this.driver);
  }
}
