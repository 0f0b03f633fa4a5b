import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds, kindsWithSpawner } from "./kinds.js";
import { Rig, isAlive, until } from "./rig.js";

/** What Slurm sends to every process of a job: a warning (`--signal`), scancel, suspension, limits, the end of its time. */
const signals = [
  "SIGUSR1",
  "SIGUSR2",
  "SIGCONT",
  "SIGTERM",
  "SIGHUP",
  "SIGINT",
  "SIGXCPU",
  "SIGALRM",
] as const;

/** The guarding process and those below it that are no task's. */
function guards(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  const own = children
    .split(" ")
    .filter(Boolean)
    .map(Number)
    .filter((child) => readFileSync(`/proc/${child}/cmdline`, "latin1").startsWith("taskmuster-"));
  return [pid, ...own];
}

/** Of signals, as in /proc: `SigBlk` and so on. */
function maskOf(pid: number, name: string): bigint {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, "m").exec(status)?.[1]}`);
}

const minds = (pid: number): bigint => ~(maskOf(pid, "SigBlk") | maskOf(pid, "SigIgn"));

/** Pending, and neither blocked nor ignored: it has not been dealt with yet. */
function isUndecided(pid: number): boolean {
  return ((maskOf(pid, "SigPnd") | maskOf(pid, "ShdPnd")) & minds(pid)) !== 0n;
}

/** Blocks or ignores what ends a process that is not prepared. */
function isPrepared(pid: number): boolean {
  const bits = [constants.signals.SIGTERM, constants.signals.SIGUSR1].map(
    (signal) => 1n << BigInt(signal - 1),
  );
  return bits.every((bit) => (minds(pid) & bit) === 0n);
}

describe.each(kinds)("%s launcher: when a scheduler signals every process of a job", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
    await rig.run("true");
    await until("it is prepared for signals", () => guards(rig.launcher.pid ?? 0).every(isPrepared));
  });
  afterEach(() => rig.close());

  it("the guarding processes live, what runs goes on, and they still do what they are for", async () => {
    const { pid } = rig.launcher;
    const before = rig.launch(
      "trap '' USR1; echo >$DIR/runs; until [ -e $DIR/go ]; do sleep 0.05; done; exit 5",
    );
    await rig.written("runs");
    const all = guards(pid ?? 0);
    expect(all).toHaveLength(kindsWithSpawner.includes(kind) ? 2 : 1);
    for (const guard of all) {
      if (guard <= 1) throw new Error(`not a guard: ${guard}`);
      for (const signal of signals) process.kill(guard, signal);
    }
    await until(
      "the signals have come to all",
      () => !all.some((guard) => isAlive(guard) && isUndecided(guard)),
    );
    expect((await rig.run("touch $DIR/go; exit 6")).outcome).toEqual({ kind: "exited", code: 6 });
    expect((await rig.ended(before)).outcome).toEqual({ kind: "exited", code: 5 });
    expect(all.filter(isAlive)).toEqual(all);
    const tag = rig.launch("sleep 600");
    rig.launcher.stop(tag, 0);
    expect((await rig.ended(tag)).stopped).toBe(true);
    expect(rig.told).not.toContain("failure");
  });

  it("a task started after that has every signal at its default, and dies of it", async () => {
    const { pid } = rig.launcher;
    for (const guard of guards(pid ?? 0)) {
      if (guard <= 1) throw new Error(`not a guard: ${guard}`);
      for (const signal of signals) process.kill(guard, signal);
    }
    for (const signal of ["SIGUSR1", "SIGUSR2", "SIGTERM", "SIGHUP", "SIGXCPU", "SIGALRM"] as const) {
      const result = await rig.run(`kill -${signal.slice(3)} $$; sleep 600`);
      expect(result.outcome).toEqual({ kind: "signalled", signal: constants.signals[signal] });
    }
    const state = await rig.run("grep -E '^Sig(Blk|Ign|Pnd)' /proc/self/status | cut -f2 | sort -u");
    expect(Buffer.from(state.out.snippet).toString()).toBe("0000000000000000\n");
  });
});
