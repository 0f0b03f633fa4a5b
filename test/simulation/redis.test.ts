import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type KvsStore, TaskmusterError } from "@taskmuster/kvs";
import type { SavedRuns } from "@taskmuster/kvs/memory";
import type { RunId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestServer, testServers } from "../../packages/kvs/test/test-server.js";
import { comparable } from "../conformance/comparable.js";
import { freshRunId } from "../conformance/world.js";
import { simulate } from "./simulate.js";
import type { Operation } from "./wire/store-server.js";

/** What happened to the store of a simulation. */
type Event =
  | { readonly kind: "asked"; readonly operation: Operation }
  | { readonly kind: "saved"; readonly saved: SavedRuns }
  | { readonly kind: "replaced"; readonly from: SavedRuns | null };

/** All that happened to the store of one, in its order. */
async function eventsOf(seed: number): Promise<readonly Event[]> {
  const events: Event[] = [];
  const { failure } = await simulate(seed, {
    onOperation: (operation) => events.push({ kind: "asked", operation }),
    onSaved: (saved) => events.push({ kind: "saved", saved }),
    onReplaced: (from) => events.push({ kind: "replaced", from }),
  });
  expect(failure).toBeNull();
  return events;
}

async function doAgain(store: KvsStore, { verb, args }: Operation): Promise<unknown> {
  const method = Reflect.get(store, verb) as (...all: readonly unknown[]) => Promise<unknown>;
  try {
    return { answer: comparable(await Reflect.apply(method, store, args)), error: null };
  } catch (error) {
    if (!(error instanceof TaskmusterError)) throw error;
    return { answer: undefined, error: error.message };
  }
}

/** A real server to which the same happens as to the one of a simulation. */
class Replay {
  readonly #server: TestServer;
  readonly #runs = new Map<RunId, RunId>();
  /** By run, and life of the server when they connected. */
  readonly #stores = new Map<string, KvsStore>();
  readonly #dumps = new Map<SavedRuns, string>();

  constructor(server: TestServer) {
    this.#server = server;
  }

  async ask(operation: Operation): Promise<unknown> {
    const { run, life } = operation;
    const key = `${run} ${life}`;
    const store = this.#stores.get(key) ?? (await this.#connect(run));
    this.#stores.set(key, store);
    return doAgain(store, operation);
  }

  async save(saved: SavedRuns): Promise<void> {
    await this.#server.command("SAVE");
    const dump = `${this.#dump}.${this.#dumps.size}`;
    copyFileSync(this.#dump, dump);
    this.#dumps.set(saved, dump);
  }

  async replace(from: SavedRuns | null): Promise<void> {
    await this.#server.kill();
    const dump = from === null ? undefined : this.#dumps.get(from);
    if (dump === undefined) rmSync(this.#dump, { force: true });
    else copyFileSync(dump, this.#dump);
    await this.#server.restart();
  }

  async end(): Promise<void> {
    for (const store of this.#stores.values()) await store.disconnect();
    for (const dump of this.#dumps.values()) rmSync(dump);
  }

  async #connect(run: RunId): Promise<KvsStore> {
    const runId = this.#runs.get(run) ?? freshRunId();
    this.#runs.set(run, runId);
    return connectRedisStore({ address: this.#server.address, runId, role: "driver" });
  }

  get #dump(): string {
    return join(this.#server.directory, "dump.rdb");
  }
}

for (const { name, binary } of testServers()) {
  if (binary === undefined) continue;
  describe(`${name}, to which the same happens as to the memory store in a simulation`, () => {
    let server: TestServer;
    beforeAll(async () => {
      server = await TestServer.start(binary);
    });
    afterAll(async () => {
      await server.stop();
    });

    it("answers the same", async () => {
      const verbs = new Set<string>();
      let replaced = 0;
      for (let seed = 1; seed <= 40; seed++) {
        const replay = new Replay(server);
        for (const [at, event] of (await eventsOf(seed)).entries()) {
          if (event.kind === "saved") await replay.save(event.saved);
          else if (event.kind === "replaced") {
            await replay.replace(event.from);
            replaced++;
          } else {
            const { run, life, verb, args, answer, error } = event.operation;
            verbs.add(verb);
            const where = { seed, at, run, life, verb, args: comparable(args) };
            const expected = { ...where, answer: comparable(answer), error };
            expect({ ...where, ...((await replay.ask(event.operation)) as object) }).toEqual(expected);
          }
        }
        await replay.end();
      }
      expect(replaced).toBeGreaterThan(5);
      for (const verb of ["announce", "restore", "greet", "takeOver"]) expect(verbs).toContain(verb);
    }, 300_000);
  });
}
