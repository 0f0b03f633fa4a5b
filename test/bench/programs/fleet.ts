import { type EngineConfig } from "@taskmuster/engine";
import type { KvsStore } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { Engine } from "../../../packages/engine/src/engine.js";
import { createLauncher } from "../../../packages/engine/src/launcher/create.js";

export interface FleetJob {
  readonly engines: readonly EngineConfig[];
  /** A descriptor or two per engine would do; this many connect at a time. */
  readonly connecting: number;
}

export interface FleetResult {
  /** Seconds from the first connection until all had joined. */
  readonly joinSeconds: number;
  /** Exchanges that brought any task, and how many tasks they brought. */
  readonly claims: number;
  readonly claimed: number;
}

/**
 * Many engines in one process, each with connections of its own, as the engine program makes them. Calls `onJoined` when all have joined;
 * resolves when all have left.
 */
export async function fleet(
  { engines, connecting }: FleetJob,
  onJoined: (seconds: number) => void,
): Promise<FleetResult> {
  const startedAt = performance.now();
  let [joined, joinSeconds, claims, claimed] = [0, 0, 0, 0];
  const watched = (store: KvsStore): KvsStore => ({
    ...store,
    async join(request) {
      const answer = await store.join(request);
      if (++joined === engines.length) {
        joinSeconds = (performance.now() - startedAt) / 1000;
        onJoined(joinSeconds);
      }
      return answer;
    },
    async exchange(request) {
      const answer = await store.exchange(request);
      if (answer.tasks.length > 0) {
        claims++;
        claimed += answer.tasks.length;
      }
      return answer;
    },
  });
  const runs: Promise<void>[] = [];
  const one = async (config: EngineConfig): Promise<void> => {
    const { address } = config;
    const place = { address, runId: runId(config.runId), role: "engine", waitMs: 30_000 } as const;
    const store = await connectRedisStore(place);
    const engine = new Engine(config, {
      store: watched(store),
      connect: async () => watched(await connectRedisStore(place)),
      starterGone: new Promise(() => undefined),
      launcher: (events) => createLauncher({ kind: config.launcher, events, cwd: process.cwd() }),
    });
    runs.push(engine.run());
  };
  const waiting = [...engines];
  const connect = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await one(next);
  };
  await Promise.all(Array.from({ length: connecting }, connect));
  await Promise.all(runs);
  return { joinSeconds, claims, claimed };
}
