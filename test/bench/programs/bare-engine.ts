import { hostname } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import {
  type NumberedReport,
  attempt,
  contextId,
  encodeReport,
  engineId,
  runId,
  taskId,
} from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { type BareRun, bareNeeds } from "./bare-producer.js";

export interface BareEngineJob extends BareRun {
  readonly engine: string;
  /** Tasks that it asks for at a time. */
  readonly claim: number;
}

/** An engine's half: claims so many tasks and reports them with the next claim. They are not even looked at. */
export async function bareEngine({
  address,
  runId: id,
  engine: name,
  claim,
}: BareEngineJob): Promise<number> {
  const store = await connectRedisStore({ address, runId: runId(id), role: "engine", waitMs: 10_000 });
  const engine = engineId(name);
  const join = { engine, context: contextId("BARE"), info: Buffer.alloc(0) };
  while ((await store.join(join)).kind === "noRun") await delay(20);
  const nothing = { bytes: 0, snippet: new Uint8Array() };
  const body = encodeReport({
    kind: "task",
    id: taskId(0),
    attempt: attempt(1),
    host: hostname(),
    pid: process.pid,
    outcome: { kind: "exited", code: 0 },
    start: Date.now() / 1000,
    end: Date.now() / 1000,
    elapsed: 0,
    out: nothing,
    err: nothing,
    lastWords: nothing.snippet,
  });
  const wants = [{ needs: bareNeeds, max: claim }];
  let [seq, number] = [0, 0];
  let reports: NumberedReport[] = [];
  for (;;) {
    const { tasks, wanted } = await store.exchange({
      engine,
      seq: ++seq,
      reports,
      releases: [],
      wants,
      maxBytes: 4 * 1024 * 1024,
      idleSlots: claim,
      awaitsAcknowledgement: false,
    });
    reports = tasks.map(({ id: ends }) => ({ number: ++number, ends, body }));
    if (reports.length > 0) continue;
    if (wanted !== "run") break;
    await store.waitForBell(engine, 10_000);
  }
  await store.leave(engine, "");
  await store.disconnect();
  return number;
}
