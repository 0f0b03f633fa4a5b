import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { KvsStore } from "@taskmuster/kvs";
import { SnapshotReader } from "./model/look.js";
import type { Happening } from "./model/model.js";
import { Watch } from "./model/watch.js";
import { readRunEnd } from "./run-end.js";

/** How often the run is looked at; less often when a look costs the store something. */
const shortestMs = 1_000;
const longestMs = 2_000;
const manyEngines = 300;
const slowMs = 250;
/** Without an answer for so long, the store counts as out of reach. */
const patienceMs = 5_000;

/** Looks at a run again and again, and tells what it sees. */
export class RunWatcher {
  readonly #store: Pick<KvsStore, "snapshot">;
  readonly #prefix: string;
  readonly #hadAddress: boolean;
  readonly #tell: (happening: Happening) => void;
  readonly #snapshots = new SnapshotReader();
  readonly #watch = new Watch();
  #answeredAt = performance.now();
  #engines = 0;
  #ended = false;

  constructor(store: Pick<KvsStore, "snapshot">, prefix: string, tell: (happening: Happening) => void) {
    this.#store = store;
    this.#prefix = prefix;
    this.#hadAddress = this.#hasAddress();
    this.#tell = tell;
  }

  /** Until the run has ended, or `signal`. */
  async watch(signal: AbortSignal): Promise<void> {
    const quit = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    const ticking = setInterval(() => this.#tick(), 1_000);
    let everyMs = shortestMs;
    try {
      while (!signal.aborted && !this.#ended) {
        const begunAt = performance.now();
        // An outage holds a request for as long as it takes; quitting must not wait for it.
        await Promise.race([this.#look(everyMs, signal), quit]);
        const tookMs = performance.now() - begunAt;
        everyMs = this.#engines > manyEngines || tookMs > slowMs ? longestMs : shortestMs;
        await sleep(Math.max(0, everyMs - tookMs), undefined, { signal }).catch(() => undefined);
      }
    } finally {
      clearInterval(ticking);
    }
  }

  async #look(everyMs: number, signal: AbortSignal): Promise<void> {
    try {
      const snapshot = await this.#store.snapshot();
      if (signal.aborted || this.#ended) return;
      this.#answeredAt = performance.now();
      const look = this.#snapshots.read(snapshot);
      if (look === null) return await this.#end();
      this.#engines = look.engines.length;
      this.#tell({ kind: "picture", picture: this.#watch.see(look, this.#answeredAt, everyMs) });
    } catch (error) {
      if (!signal.aborted) this.#miss(error instanceof Error ? error.message : String(error));
    }
  }

  #tick(): void {
    const waitedMs = performance.now() - this.#answeredAt;
    if (waitedMs > patienceMs) this.#miss("the key-value store does not answer");
    else if (waitedMs > longestMs && this.#isOver()) void this.#end();
    else this.#tell({ kind: "tick" });
  }

  #miss(why: string): void {
    if (this.#isOver()) void this.#end();
    else this.#tell({ kind: "unreachable", since: this.#answeredAt, why });
  }

  /** The driver takes its address away when the run has ended, and its store with it. */
  #isOver(): boolean {
    return this.#hadAddress && !this.#hasAddress();
  }

  #hasAddress(): boolean {
    return existsSync(`${this.#prefix}_kvsinfo.txt`);
  }

  async #end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#tell({ kind: "ended", end: await readRunEnd(this.#prefix) });
  }
}
