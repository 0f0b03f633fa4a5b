import type { FencingToken, KvsStore } from "@taskmuster/kvs";
import type { RunId } from "@taskmuster/kvs/protocol";
import type { World } from "../world.js";

/** What each part of the suite is given; everything that it opens is cleaned up behind it. */
export interface Bench {
  readonly world: () => World;
  readonly connect: (run: RunId) => Promise<KvsStore>;
  /** A fresh run with a driver. */
  readonly open: () => Promise<{
    readonly run: RunId;
    readonly store: KvsStore;
    readonly token: FencingToken;
  }>;
}
