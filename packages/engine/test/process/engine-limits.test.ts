import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type EngineStats, decodeEngineStats } from "@taskmuster/kvs/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { compiledSpawner, kindsWithSpawner } from "../launcher/kinds.js";
import { type EngineProcess, Run, bundleEngine } from "./rig.js";

/*
 * Engines on a node that is out of something, for real. The number of processes is limited for a user other than root, and only root
 * can become one and mount a small file system.
 */

const isRoot = process.getuid?.() === 0;
/** Nobody else has it. */
const user = 64_123;
const asUser = ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];

type Kind = "compiled" | "perl" | "node";
const kinds: readonly Kind[] = [...kindsWithSpawner.filter((kind) => kind === "compiled"), "perl", "node"];

let program: Awaited<ReturnType<typeof bundleEngine>>;
let withSpawner: Awaited<ReturnType<typeof bundleEngine>>;
let run: Run | null = null;
const mounts: string[] = [];

beforeAll(async () => {
  [program, withSpawner] = await Promise.all([bundleEngine(), bundleEngine()]);
  for (const { script } of [program, withSpawner]) chmodSync(dirname(script), 0o755);
  if (!kinds.includes("compiled")) return;
  const name = `taskmuster-spawner-${process.platform}-${process.arch}`;
  copyFileSync(compiledSpawner(), join(dirname(withSpawner.script), name));
});
afterAll(() => {
  program.remove();
  withSpawner.remove();
});
afterEach(async () => {
  // At once out of sight, gone when nobody uses it any more.
  for (const mount of mounts.splice(0)) execFileSync("umount", ["-l", mount]);
  await run?.close();
  run = null;
});

async function open(kind: Kind): Promise<Run> {
  run = await Run.open((kind === "compiled" ? withSpawner : program).script);
  if (!isRoot) return run;
  chownSync(run.directory, user, user);
  chmodSync(run.server.directory, 0o755);
  chmodSync(run.server.socket, 0o777);
  return run;
}

/** Processes below an engine, itself first. */
function treeOf(engine: EngineProcess): readonly number[] {
  const found = [engine.pid];
  for (const pid of found)
    for (const thread of readdirSync(`/proc/${pid}/task`))
      found.push(
        ...readFileSync(`/proc/${pid}/task/${thread}/children`, "latin1")
          .split(" ")
          .filter(Boolean)
          .map(Number),
      );
  return found;
}

/** So many more threads than there are now may the user of the engine have, as far as this engine is concerned; null: any number. */
function limitProcesses(engine: EngineProcess, more: number | null): void {
  const threads = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => threadsOf(pid))
    .reduce((sum, count) => sum + count, 0);
  const most = more === null ? "10000" : String(threads + more);
  for (const pid of treeOf(engine))
    execFileSync("setpriv", [...asUser.slice(1), "prlimit", "--pid", String(pid), `--nproc=${most}:`]);
}

function threadsOf(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return new RegExp(`^Uid:\\s+${user}\\s`, "m").test(status)
      ? Number(/^Threads:\s+(\d+)/m.exec(status)?.[1])
      : 0;
  } catch {
    // It has ended.
    return 0;
  }
}

/** The process that holds the tasks' pipes may have so many descriptors more than now. */
function limitDescriptors(engine: EngineProcess, kind: Kind, more: number | null): void {
  const pid =
    kind === "node"
      ? engine.pid
      : treeOf(engine).find((each) =>
          readFileSync(`/proc/${each}/cmdline`, "latin1").startsWith("taskmuster-launcher"),
        );
  if (pid === undefined) throw new Error("no launcher");
  const used = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  const free = Array.from({ length: 4096 }, (_, fd) => fd).filter((fd) => !used.has(fd));
  const most = more === null ? 4096 : free[more];
  execFileSync("setpriv", [...asUser.slice(1), "prlimit", "--pid", String(pid), `--nofile=${most}:`]);
}

async function stats(on: Run): Promise<EngineStats | null> {
  const bytes = (await on.snapshot()).engines[0]?.stats ?? new Uint8Array(0);
  return bytes.length === 0 ? null : decodeEngineStats(bytes);
}

/** Each tells that it runs, once; and is one process. */
const commands = (count: number, seconds: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `echo ${index} >>$DIR/ran; exec sleep ${seconds}`);

function expectEachOnce(on: Run, count: number): void {
  expect(on.told()).toEqual(Array.from({ length: count }, (_, id) => `task ${id} exited 0`).toSorted());
  const ran = on.read("ran").split("\n").slice(0, -1).map(Number);
  expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
}

describe.runIf(isRoot).each(kinds)("an engine with the %s launcher that is out of", (kind) => {
  const launcher = kind === "node" ? "node" : "perl";

  async function started(slots: number, tmp?: string): Promise<readonly [Run, EngineProcess]> {
    const on = await open(kind);
    const env = tmp === undefined ? {} : { TMPDIR: tmp };
    const engine = on.start({ launcher, slots }, { through: asUser, env });
    // So that all its threads and helpers are there.
    await on.publish("true");
    await on.until("the first end", () => on.reports.length === 1);
    on.reports.length = 0;
    return [on, engine];
  }
  /** Ids of later tasks begin with 1. */
  const ended = (on: Run): readonly string[] => on.told();

  it(
    "processes: runs fewer at a time, each once and none failed, says so, and comes back",
    { timeout: 90_000 },
    async () => {
      const [on, engine] = await started(4);
      limitProcesses(engine, 2);
      await on.publish(...commands(8, 1.5));
      await on.until("it says so", async () => (await stats(on))?.outOf === "processes");
      expect((await stats(on))?.usable).toBeLessThan(4);
      await on.until("some ends", () => on.reports.length >= 3);
      limitProcesses(engine, null);
      await on.until("all ends", () => on.reports.length === 8);
      expect(new Set(ended(on))).toEqual(
        new Set(Array.from({ length: 8 }, (_, id) => `task ${id + 1} exited 0`)),
      );
      expect(on.read("ran").split("\n").slice(0, -1).toSorted()).toEqual(
        Array.from({ length: 8 }, (_, index) => String(index)).toSorted(),
      );
      if (kind !== "perl") return;
      await on.until("all slots are used again", async () => (await stats(on))?.usable === 4);
      expect(on.engineLog().match(/a task could not be started here/g)).toHaveLength(1);
      expect(on.engineLog()).toContain("all slots can be used again");
    },
  );

  it("processes altogether: hands everything back, and begins when it can", { timeout: 90_000 }, async () => {
    const [on, engine] = await started(3);
    limitProcesses(engine, -3);
    await on.publish(...commands(6, 0.1));
    await on.until("it starts nothing", async () => (await stats(on))?.usable === 0);
    await on.until("all is in the queue again", async () => (await on.snapshot()).queued === 6);
    expect([on.reports, on.read("ran")]).toEqual([[], ""]);
    limitProcesses(engine, null);
    await on.until("all ends", () => on.reports.length === 6);
    expect(new Set(ended(on))).toEqual(
      new Set(Array.from({ length: 6 }, (_, id) => `task ${id + 1} exited 0`)),
    );
  });

  it("descriptors: the same", { timeout: 90_000 }, async () => {
    const [on, engine] = await started(8);
    limitDescriptors(engine, kind, 6);
    await on.publish(...commands(12, 1.5));
    await on.until("it says so", async () => (await stats(on))?.outOf === "open files");
    limitDescriptors(engine, kind, null);
    await on.until("all ends", () => on.reports.length === 12);
    expect(new Set(ended(on))).toEqual(
      new Set(Array.from({ length: 12 }, (_, id) => `task ${id + 1} exited 0`)),
    );
  });

  it.runIf(kind === "node")("inodes for its pipes: the same", { timeout: 90_000 }, async () => {
    const on = await open(kind);
    const tmp = join(on.directory, "tmp");
    mkdirSync(tmp);
    execFileSync("mount", ["-t", "tmpfs", "-o", `nr_inodes=12,uid=${user}`, "none", tmp]);
    mounts.push(tmp);
    on.start({ launcher, slots: 12 }, { through: asUser, env: { TMPDIR: tmp } });
    await on.publish(...commands(16, 2));
    await on.until("it says so", async () => (await stats(on))?.outOf === "room on a disk");
    await on.until("all ends", () => on.reports.length === 16);
    expectEachOnce(on, 16);
  });
});

describe("an engine on a node whose memory has run out", () => {
  it("tells of a task whose shell the kernel killed that it died by signal 9, and goes on", async () => {
    // What the kernel's killer does to a task, and all that anybody can see of it.
    run = await Run.open(program.script);
    run.start({ slots: 2 });
    await run.publish("kill -9 $$", "true");
    await run.until("both ends", () => run?.reports.length === 2);
    expect(run.told()).toEqual(["task 0 signalled 9", "task 1 exited 0"]);
  });
});
