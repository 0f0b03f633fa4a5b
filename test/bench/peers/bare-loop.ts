import { randomBytes } from "node:crypto";
import { KvsError } from "@taskmuster/kvs";
import { runId as asRunId } from "@taskmuster/kvs/protocol";
import { findServerBinary, startPrivateServer } from "@taskmuster/kvs/server";
import type { Bench } from "../bench.js";
import { twoCores } from "./control-plane.js";
import { resultOf, startChild } from "../programs/child.js";
import { type Running, endOf, run } from "../processes/run.js";
import { ProcessWatch } from "../processes/watch.js";

export interface BareLoopRun {
  readonly seconds: number;
  /** Seconds of CPU time of all its processes, since each began. */
  readonly cpu: number;
}

/**
 * The same Lua scripts through the same port, at a given claim size, without all the rest: the most that the control plane could
 * do on this machine.
 */
export async function runBareLoop(
  bench: Bench,
  job: { readonly tasks: number; readonly engines: number; readonly claim: number },
): Promise<BareLoopRun> {
  const binary = await findServerBinary(process.env);
  if (binary === null) throw new KvsError("there is no redis-server on PATH");
  const runId = asRunId(randomBytes(8).toString("hex"));
  const server = startPrivateServer({ binary, runId });
  const children: Running[] = [];
  const watch = new ProcessWatch();
  watch.add(server.pid ?? -1, "Redis");
  try {
    await server.ready;
    const { address } = server;
    const where = { cwd: bench.fresh(), prefix: twoCores };
    if (twoCores.length > 0) await run(["taskset", "-cp", "0,1", String(server.pid)], where);
    const producer = startChild(
      "bare-producer",
      { address, runId, tasks: job.tasks, engines: job.engines },
      where,
    );
    children.push(producer);
    for (let index = 0; index < job.engines; index++) {
      const engine = `bare${String(index).padStart(6, "0")}`;
      children.push(startChild("bare-engine", { address, runId, engine, claim: job.claim }, where));
    }
    for (const { pid } of children) watch.add(pid, "peer");
    const seconds = await resultOf<number>(producer);
    const done = await Promise.all(children.slice(1).map((engine) => resultOf<number>(engine)));
    const sum = done.reduce((all, each) => all + each, 0);
    if (sum !== job.tasks) throw new Error(`the bare loop did ${sum} of ${job.tasks} tasks`);
    return { seconds, cpu: watch.usage("Redis", "peer").own };
  } finally {
    watch.stop();
    for (const child of children) await endOf(child);
    await server.stop();
  }
}
