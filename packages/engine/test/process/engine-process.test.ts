import { spawnSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { decodeEngineInfo, decodeEngineStats } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { allowedCpus } from "../../src/core/cpu-list.js";
import { dead, processesIn, until } from "../launcher/rig.js";
import { type EngineProcess, type Run, useRuns } from "./rig.js";

const { script, open } = useRuns();

const left = (on: Run, engine: EngineProcess): Promise<string> =>
  until("that it has left", () => on.why(engine));

/** As a scheduler does with every process of a job. */
function signalAllBut(one: number, directory: string, signal: NodeJS.Signals): void {
  for (const pid of processesIn(directory)) {
    if (pid <= 1 || pid === one) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It has just ended.
    }
  }
}

describe("an engine process", () => {
  it("joins under the id that it was given, and in the run's directory runs what it claims", async () => {
    const on = await open();
    await on.publish("pwd >$DIR/where", "exit 3");
    const engine = on.start();
    await on.until("both ends", () => on.reports.length === 2);
    expect(on.told()).toEqual(["task 0 exited 0", "task 1 exited 3"]);
    expect(on.read("where")).toBe(`${on.directory}\n`);
    const [member] = (await on.snapshot()).engines;
    expect(member).toMatchObject({ engine: engine.id, context: "T0", state: "member" });
    expect(decodeEngineInfo(member?.info ?? new Uint8Array())).toMatchObject({
      pid: engine.pid,
      slots: 2,
      endsAt: null,
    });
  });

  it("started elsewhere it enters the run's directory, by the name that the run gives it", async () => {
    const on = await open({ cwd: "/" });
    await on.publish("pwd >$DIR/where");
    on.start({}, { cwd: "/tmp" });
    expect(await on.written("where")).toBe("/");
  });

  it("keeps a name that leads through a symbolic link", async () => {
    const directory = join(script(), "..", "link");
    symlinkSync("..", directory);
    const on = await open({ cwd: directory });
    await on.publish("pwd >$DIR/where");
    on.start({}, { cwd: "/" });
    expect(await on.written("where")).toBe(directory);
  });

  it("leaves, with nothing claimed and a reason, where the run's directory is not", async () => {
    const on = await open({ cwd: "/no/such/directory" });
    await on.publish("true");
    const engine = on.start({}, { cwd: "/" });
    expect(await engine.exited).toEqual({ code: 1, signal: null });
    const message = `cannot enter /no/such/directory on ${hostname()}: ENOENT: no such file or directory; is it on a file system that this host has?`;
    expect(engine.stderr).toBe(`engine: ${message}\n`);
    expect(await left(on, engine)).toBe(message);
    expect((await on.snapshot()).queued).toBe(1);
  });

  it.each(["perl", "node"] as const)(
    "started by a login's shell that it replaced: its tasks (%s) do not take themselves for logins",
    async (launcher) => {
      const on = await open();
      writeFileSync(join(on.directory, ".bashrc"), "echo read >>$DIR/rc\n");
      const env = { HOME: on.directory, SSH_CLIENT: "::1 1 22", SHLVL: "0" };
      expect(spawnSync("bash", ["-c", ":"], { env: { ...env, DIR: on.directory } }).status).toBe(0);
      expect(on.read("rc")).toBe("read\n");
      await on.publish("echo ran >$DIR/ran");
      on.start({ launcher }, { env });
      await on.until("the end", () => on.reports.length === 1);
      expect([on.read("ran"), on.read("rc")]).toEqual(["ran\n", "read\n"]);
    },
  );

  it("works on without a log where none can be written, and says so once", async () => {
    const on = await open({ prefix: "/no/such/directory/run" });
    await on.publish("true", "true");
    const engine = on.start();
    await on.until("both ends", () => on.reports.length === 2);
    engine.say("stop");
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(engine.stderr).toMatch(
      /^engine: goes on without its log \/no\/such\/directory\/run_T0_.*ENOENT.*\n$/,
    );
  });

  it("told to stop on its input stops its tasks, hands them back and leaves; what it does not understand it logs", async () => {
    const on = await open();
    await on.publish("echo >$DIR/runs; sleep 600");
    const engine = on.start();
    await on.written("runs");
    engine.say("dance");
    engine.say("stop");
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(on.told()).toEqual(["task 0 cancelled"]);
    expect(await left(on, engine)).toBe("told to stop by its context");
    expect(on.engineLog()).toContain('"line":"dance"');
    expect(processesIn(on.directory)).toEqual([]);
  });

  it("told to kill itself does so, and its guardian kills the tasks", async () => {
    const on = await open();
    await on.publish("trap '' TERM; echo $$ >$DIR/runs; while :; do sleep 1; done");
    const engine = on.start();
    const task = Number(await on.written("runs"));
    engine.say("kill");
    expect(await engine.exited).toEqual({ code: null, signal: "SIGKILL" });
    await dead(task);
    expect(on.told()).toEqual([]);
  });

  it("told to stop before it could join does nothing more", async () => {
    const on = await open();
    const engine = on.start({ address: { addresses: ["unix:///no/such/socket"], private: false } });
    engine.say("stop");
    expect(await engine.exited).toEqual({ code: 0, signal: null });
  });

  it("outside an allocation does not mind the signals by which a batch system warns", async () => {
    const on = await open();
    await on.publish("echo >$DIR/runs; sleep 600");
    const engine = on.start({ slots: 1 });
    await on.written("runs");
    for (const signal of ["SIGUSR1", "SIGUSR2"] as const) engine.kill(signal);
    engine.say("stop");
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(await left(on, engine)).toBe("told to stop by its context");
    expect(engine.stderr).toBe("");
  });

  it("that has had nothing to do for so long leaves by itself, and runs its STOP commands", async () => {
    const on = await open({ stop: ["echo bye >$DIR/bye"] });
    await on.publish("sleep 1.5; exit 2");
    const engine = on.start({ idleTimeoutMs: 300 });
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(on.told()).toEqual(["stop 0 exited 0", "task 0 exited 2"]);
    expect(await left(on, engine)).toBe("idle for 0.3 s");
    expect(on.read("bye")).toBe("bye\n");
  });

  it("leaves when a START command fails that must succeed: the others and the STOP commands do not run", async () => {
    const on = await open({
      start: ["true", "exit 3", "echo >$DIR/third"],
      stop: ["echo >$DIR/stop"],
      startMustSucceed: true,
    });
    await on.publish("true");
    const engine = on.start();
    expect(await engine.exited).toEqual({ code: 1, signal: null });
    expect(engine.stderr).toBe("engine: PERENGINE START 1 failed (exit 3)\n");
    expect(on.told()).toEqual(["start 0 exited 0", "start 1 exited 3"]);
    expect(await left(on, engine)).toBe("PERENGINE START 1 failed (exit 3)");
    expect([on.read("third"), on.read("stop"), (await on.snapshot()).queued]).toEqual(["", "", 1]);
  });

  it("-E: each slot has its own item, and there are no more slots than items", async () => {
    const on = await open({ start: ['echo "$RES" >$DIR/perengine'] });
    await on.publish(
      ...Array.from({ length: 6 }, () => 'echo "$DISBATCH_CYLINDER_RANK=$RES" >>$DIR/items; sleep 0.1'),
    );
    on.start({ slots: 4, cores: 4, envResources: ["RES", "NONE"] }, { env: { RES: "red,green blue" } });
    await on.until("all ends", () => on.reports.length === 7);
    expect(new Set(on.read("items").trim().split("\n"))).toEqual(new Set(["0=red", "1=green blue"]));
    expect(on.read("perengine")).toBe("red\n");
    const [member] = (await on.snapshot()).engines;
    expect(decodeEngineInfo(member?.info ?? new Uint8Array()).slots).toBe(2);
    expect(on.engineLog()).toContain("fewer values than the 4 slots, which become 2: red,green blue");
    expect(on.engineLog()).toContain("-E NONE: there is no such variable here");
  });
});

describe("an engine process in an allocation", () => {
  const allocation = { allocation: true } as const;

  it("gives each slot its core and its device, and says what a task's share is", async () => {
    const on = await open({ start: ['echo "$CUDA_VISIBLE_DEVICES $SLURM_NTASKS" >$DIR/perengine'] });
    const show = "sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status";
    const variables = '"$CUDA_VISIBLE_DEVICES $SLURM_CPUS_PER_TASK $SLURM_NTASKS $SLURM_TRES_PER_TASK"';
    await on.publish(
      ...Array.from(
        { length: 4 },
        () => `echo "$DISBATCH_CYLINDER_RANK: $(${show}) ${variables.slice(1, -1)}" >>$DIR/shares; sleep 0.2`,
      ),
    );
    const cpus = allowedCpus(readFileSync("/proc/self/status", "latin1")).length;
    on.start(
      { ...allocation, cores: cpus, slots: 2, coresPerTask: 3 },
      {
        env: {
          CUDA_VISIBLE_DEVICES: "4,5,6,7",
          SLURM_CPUS_PER_TASK: "64",
          SLURM_NTASKS: "8",
          SLURM_TRES_PER_TASK: "cpu:64",
        },
      },
    );
    await on.until("all ends", () => on.reports.length === 5);
    const shares = new Set(on.read("shares").trim().split("\n"));
    expect([...shares].map((line) => line.replace(/: [\d,-]+ /, ": CPUS ")).toSorted()).toEqual([
      "0: CPUS 4,5 3 1 cpu:3",
      "1: CPUS 6,7 3 1 cpu:3",
    ]);
    expect(on.read("perengine")).toBe("4,5,6,7 8\n");
    if (cpus >= 2) expect(new Set([...shares].map((line) => line.split(" ")[1])).size).toBe(2);
  });

  for (const signal of ["SIGTERM", "SIGUSR1", "SIGUSR2"] as const) {
    it(`${signal} to all its processes: tasks that die of it just before, or fail after, are handed back and did not fail`, async () => {
      const on = await open({ stop: ["echo >$DIR/stop"] });
      await on.publish(
        "trap 'exit 143' TERM USR1 USR2; echo >$DIR/traps; while :; do sleep 0.05; done",
        "echo >$DIR/dies; exec sleep 600",
      );
      const engine = on.start(allocation);
      await on.written("traps");
      await on.written("dies");
      signalAllBut(engine.pid, on.directory, signal);
      await on.until("both slots are free", async () => {
        const stats = (await on.snapshot()).engines[0]?.stats;
        return stats === undefined ? false : processesIn(on.directory).length <= 3;
      });
      engine.kill(signal);
      expect(await engine.exited).toEqual({ code: 0, signal: null });
      expect(on.told()).toEqual(["task 0 cancelled", "task 1 cancelled"]);
      expect(await left(on, engine)).toBe(signal);
      expect(on.read("stop")).toBe("");
    });
  }

  it("a launcher that the scheduler's signal kills loses nothing that counts", async () => {
    const on = await open();
    await on.publish("echo $$ $PPID >$DIR/pids; sleep 600");
    const engine = on.start(allocation);
    const [task = 0, launcher = 0] = (await on.written("pids")).split(" ").map(Number);
    if (launcher <= 1) throw new Error(`no launcher: ${launcher}`);
    process.kill(launcher, "SIGKILL");
    await dead(launcher);
    await dead(task);
    engine.kill("SIGTERM");
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(on.told()).toEqual(["task 0 cancelled"]);
  });

  it("a failure that no signal explains is told after a moment, and the slot was free at once", async () => {
    const on = await open();
    await on.publish("exit 5", "exit 0");
    const engine = on.start({ ...allocation, slots: 1 });
    await on.until("both ends", () => on.reports.length === 2);
    // The second one overtakes the first.
    expect(on.reports.map(({ id }) => id)).toEqual([1, 0]);
    expect(on.told()).toEqual(["task 0 exited 5", "task 1 exited 0"]);
    engine.kill("SIGTERM");
    expect(await engine.exited).toEqual({ code: 0, signal: null });
  });

  it("takes nothing new when the allocation is about to end, and says when that is", async () => {
    const on = await open();
    const endsAt = Math.ceil(Date.now() / 1000) + 10;
    await on.publish("sleep 4");
    const engine = on.start({ ...allocation, slots: 1 }, { env: { SLURM_JOB_END_TIME: String(endsAt) } });
    await on.until("the end of the first", () => on.reports.length === 1);
    const [member] = (await on.snapshot()).engines;
    expect(decodeEngineInfo(member?.info ?? new Uint8Array()).endsAt).toBe(endsAt * 1000);
    expect(await engine.exited).toEqual({ code: 0, signal: null });
    expect(Date.now()).toBeLessThan(endsAt * 1000);
    expect(await left(on, engine)).toBe("the allocation ends");
  });

  it("shows why it drains while what it runs goes on", async () => {
    const on = await open();
    await on.publish("until [ -e $DIR/go ]; do sleep 0.05; done");
    const endsAt = Math.ceil(Date.now() / 1000) + 5;
    const engine = on.start({ ...allocation, slots: 1 }, { env: { SLURM_JOB_END_TIME: String(endsAt) } });
    const stats = await on.until("that it drains", async () => {
      const bytes = (await on.snapshot()).engines[0]?.stats;
      const told = bytes === undefined || bytes.length === 0 ? undefined : decodeEngineStats(bytes);
      return told?.state === "draining" && told;
    });
    expect(stats).toMatchObject({ why: "the allocation ends", busy: 1 });
    engine.say("stop");
    expect(await engine.exited).toEqual({ code: 0, signal: null });
  });
});
