import { KvsClosedError, type KvsStore } from "@taskmuster/kvs";
import type { RunId } from "@taskmuster/kvs/protocol";
import type { SimProcess } from "../time/process.js";
import type { World } from "../world/world.js";
import { Link } from "./link.js";
import { Route } from "./route.js";

/** A process's way to the store, through all lives of that: what `connectRedisStore` is to Redis. */
export class StoreClient {
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #route: Route;
  #link: Link | null = null;

  /** `usualMs`: how long a message takes. */
  constructor(world: World, process: SimProcess, usualMs = world.wireMs) {
    this.#world = world;
    this.#process = process;
    this.#route = new Route(world.clockwork, world.random, usualMs);
  }

  /** Waits until a server takes connections. Rejects when `signal` says so. */
  async connect(
    run: RunId,
    { signal, onLost }: { readonly signal?: AbortSignal; readonly onLost?: () => void } = {},
  ): Promise<KvsStore> {
    await this.#reach(signal);
    if (signal?.aborted === true) throw new KvsClosedError();
    const { clockwork, random, server, bug } = this.#world;
    const parts = { clockwork, random, server, route: this.#route, process: this.#process, run };
    this.#link = new Link({ ...parts, onResend: bug.resend, onLost });
    return this.#link.store;
  }

  cut(ms: number): void {
    this.#route.cut(ms);
  }

  reset(): void {
    this.#link?.reset();
  }

  #reach(signal: AbortSignal | undefined): Promise<void> {
    const { clockwork, random, server } = this.#world;
    return new Promise((done) => {
      const resolve = (): void => {
        signal?.removeEventListener("abort", resolve);
        done();
      };
      const attempt = (): void => {
        const again = (): void => void clockwork.after(random.int(1500), this.#process, attempt);
        if (signal?.aborted === true) resolve();
        else if (this.#route.isCut) this.#route.whenMended(again);
        else if (server.door.isCut) server.door.whenMended(again);
        else resolve();
      };
      signal?.addEventListener("abort", resolve, { once: true });
      clockwork.after(4 + 2 * this.#route.latency(), this.#process, attempt);
    });
  }
}
