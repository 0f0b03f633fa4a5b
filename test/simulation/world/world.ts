import type { RunId } from "@taskmuster/kvs/protocol";
import type { Random } from "../../fuzz/random.js";
import type { Disk } from "../node/disk.js";
import type { Clockwork } from "../time/clockwork.js";
import { Host } from "../time/process.js";
import type { Truth } from "../truth/truth.js";
import type { StoreServer } from "../wire/store-server.js";
import type { EngineProcess } from "./engine-process.js";
import type { Bug } from "../bugs/bug.js";

/** What everybody in a simulation shares. */
export interface World {
  readonly clockwork: Clockwork;
  readonly random: Random;
  readonly disk: Disk;
  readonly server: StoreServer;
  readonly truth: Truth;
  readonly login: Host;
  /** Every engine process that was ever started. */
  readonly engines: EngineProcess[];
  readonly bug: Bug;
  /** Where the files are of what is in the store. */
  readonly homes: Map<RunId, string>;
  /** The last one that is known with these files: what its address file says. */
  runOf(prefix: string): RunId | null;
  /** From one host to another, ms. */
  readonly wireMs: number;
  /** The store's server is the run's own: engines are told so. */
  readonly privateStore: boolean;
  /** Writes down what happened, when somebody wants to know. */
  say(who: string, what: () => string): void;
}

/** Clocks that agree with nobody's: up to a hundredth too fast or slow, hours apart on the wall. */
export function newHost(world: Pick<World, "random">, name: string): Host {
  const { random } = world;
  const rate = 1 + (random.int(2001) - 1000) / 100_000;
  const wall = 1_800_000_000_000 + (random.int(7200) - 3600) * 1000;
  return new Host(name, rate, random.int(1_000_000_000), wall);
}
