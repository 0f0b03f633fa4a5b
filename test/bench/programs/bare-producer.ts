import { setTimeout as delay } from "node:timers/promises";
import { Bell } from "@taskmuster/driver";
import {
  type NeedsKey,
  type QueuedTask,
  attempt,
  encodeTask,
  needsKey,
  runId,
  taskId,
} from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import type { KvsAddress } from "@taskmuster/kvs/server";

export interface BareRun {
  readonly address: KvsAddress;
  readonly runId: string;
}

export interface BareProducerJob extends BareRun {
  readonly tasks: number;
  readonly engines: number;
}

/** As the driver has them when tasks are over in no time. */
const [window, publishMost, receiveMost] = [20_000, 1_000, 2_000];
/** With fewer reports than this in one look it waits for more: each look costs the server as much as many reports. */
const [fewReports, gatherMs] = [500, 10];

export const bareNeeds: NeedsKey = needsKey({ cores: 1 });

/**
 * The driver's half of the control plane, and nothing else: publishes a window of tasks, takes reports, acknowledges. No list, no rows, no
 * decoding. Answers seconds from the first task published until the last is acknowledged.
 */
export async function bareProducer({ address, runId: id, tasks, engines }: BareProducerJob): Promise<number> {
  const store = await connectRedisStore({ address, runId: runId(id), role: "driver", waitMs: 10_000 });
  const token = await store.open(Buffer.alloc(0));
  while ((await store.snapshot()).engines.length < engines) await delay(20);
  const room = new Bell();
  const [one, first] = [taskId(0), attempt(1)];
  const body = encodeTask({
    id: one,
    attempt: first,
    line: 1,
    timeoutMs: null,
    repeatIndex: -1,
    command: Buffer.from("true"),
  });
  let [published, acknowledged, publishes] = [0, 0, 0];

  const publish = async (): Promise<void> => {
    while (published < tasks) {
      const count = Math.min(publishMost, tasks - published, window - (published - acknowledged));
      if (count <= 0) {
        await room.wait();
        continue;
      }
      const batch: QueuedTask[] = [];
      for (let task = published; task < published + count; task++)
        batch.push({ id: taskId(task), attempt: first, needs: bareNeeds, body });
      published += count;
      await store.publish(token, ++publishes, batch);
    }
  };
  const acknowledge = async (): Promise<void> => {
    while (acknowledged < tasks) {
      const { from, reports } = await store.receive(token, receiveMost);
      if (reports.length === 0) {
        await store.waitForBell("driver", 10_000);
        continue;
      }
      await store.acknowledge(token, from + reports.length);
      acknowledged += reports.length;
      room.ring();
      if (reports.length < fewReports && acknowledged < tasks) await delay(gatherMs);
    }
  };
  const startedAt = performance.now();
  await Promise.all([publish(), acknowledge()]);
  const seconds = (performance.now() - startedAt) / 1000;
  await store.order(token, { kind: "run" }, "drain");
  await store.disconnect();
  return seconds;
}
