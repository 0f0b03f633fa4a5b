import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bin, type Place, type Running, until, usePlace } from "./harness.js";

const place = usePlace();

/** A list whose first tasks run until they are let go or stopped, each with a child and a grandchild in sessions of their own. */
function longTasks(count: number): string {
  return Array.from(
    { length: count },
    (_, i) => `touch up${i}; (setsid sleep 300 &) ; until [ -e go ]; do sleep 0.05; done; echo done`,
  ).join("\n");
}

async function begun(running: Running, where: Place, tasks: number): Promise<void> {
  await until(`${tasks} tasks run (${running.stderr})`, () => {
    const up = where.files().filter((name) => /^up\d+$/.test(name)).length;
    return up === tasks ? true : up;
  });
}

describe.each(["perl", "node"])("signals, with the %s launcher", (launcher) => {
  const start = (args: readonly string[]): Running =>
    place().start(["--launcher", launcher, ...args], { group: true });

  it("Ctrl-C lets what runs end, starts nothing more, and -r goes on from there", async () => {
    place().write(
      "tasks",
      `${longTasks(2).replaceAll("(setsid sleep 300 &) ;", "")}\n${"echo later >> later\n".repeat(3)}`,
    );
    const running = start(["-s", "localhost:2", "-p", "one", "tasks"]);
    await begun(running, place(), 2);
    process.kill(-running.pid, "SIGINT");
    await until("it says so", () => (running.stderr.includes("finishing what runs") ? true : running.stderr));
    place().write("go", "");
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(
      place()
        .rows("one")
        .map((row) => row[1])
        .toSorted((a, b) => Number(a) - Number(b)),
    ).toEqual(["0", "1"]);
    expect(stdout).toContain("3 not done");
    expect(existsSync(place().path("later"))).toBe(false);
    const resumed = await place().run(["-s", "localhost:2", "-p", "two", "-r", "one_status.txt", "tasks"]);
    expect(resumed.code).toBe(0);
    expect(place().read("later")).toBe("later\n".repeat(3));
  });

  it("a second Ctrl-C stops every task's whole tree; stopped tasks have no row", async () => {
    place().write("tasks", `echo quick\n${longTasks(3)}\n`);
    const running = start(["-s", "localhost:3", "-p", "one", "--grace", "1", "tasks"]);
    await begun(running, place(), 3);
    process.kill(-running.pid, "SIGINT");
    await until("it says so", () => running.stderr.includes("again to stop") || running.stderr);
    process.kill(-running.pid, "SIGINT");
    const { code } = await running.finished;
    expect(code).toBe(130);
    expect(
      place()
        .rows("one")
        .map((row) => row[1]),
    ).toEqual(["0"]);
    // Also the grandchildren in sessions of their own; `clean` would wait for them in vain.
    expect(place().processes()).toEqual([]);
    place().write("go", "");
    const resumed = await place().run(["-s", "localhost:3", "-p", "two", "-r", "one_status.txt", "tasks"]);
    expect(resumed.code).toBe(0);
    expect(place().rows("two")).toHaveLength(4);
    for (const { pid } of place().processes()) process.kill(pid, "SIGKILL");
  });

  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    it(`${signal} stops at once`, async () => {
      place().write("tasks", longTasks(2));
      const running = start(["-s", "localhost:2", "-p", "one", "tasks"]);
      await begun(running, place(), 2);
      running.kill(signal);
      const finished = await running.finished;
      expect(finished.code).toBe(code);
      expect(finished.stderr).toContain(`${signal}: stopping what runs`);
      expect(place().rows("one")).toEqual([]);
      expect(place().processes()).toEqual([]);
    });
  }

  it("a task that ignores TERM is killed after the grace", async () => {
    place().write("tasks", "trap '' TERM; touch up0; while :; do sleep 0.1; done\n");
    const running = start(["-s", "localhost:1", "--grace", "0.5", "tasks"]);
    await begun(running, place(), 1);
    running.kill("SIGTERM");
    expect((await running.finished).code).toBe(143);
    expect(place().processes()).toEqual([]);
  });

  it("an inherited ignore of SIGHUP is honoured", async () => {
    place().write("tasks", longTasks(1).replace("(setsid sleep 300 &) ;", ""));
    const running = place().shell('trap "" HUP; exec "$BIN" --launcher "$L" -s localhost:1 -p one tasks', {
      env: { BIN: bin, L: launcher },
      group: true,
    });
    await begun(running, place(), 1);
    running.kill("SIGHUP");
    running.kill("SIGHUP");
    place().write("go", "");
    expect((await running.finished).code).toBe(0);
    expect(place().rows("one")).toHaveLength(1);
  });

  it("--fail-fast stops what runs and exits with 1", async () => {
    place().write("tasks", `${longTasks(1)}\nuntil [ -e up0 ]; do sleep 0.02; done; exit 7\n`);
    const { code, stdout } = await place().run([
      "--launcher",
      launcher,
      "-s",
      "localhost:2",
      "-p",
      "one",
      "--fail-fast",
      "tasks",
    ]);
    expect(code).toBe(1);
    expect(stdout).toContain("Quitting early due to task failure with --fail-fast (line 2)");
    expect(
      place()
        .rows("one")
        .map((row) => row[1]),
    ).toEqual(["1"]);
    expect(place().processes()).toEqual([]);
  });

  it("a driver killed with -9 leaves no store behind once its engine has gone", async () => {
    place().write("tasks", "touch up0; until [ -e go ]; do sleep 0.05; done; touch ended\n");
    const running = start(["-s", "localhost:1", "-p", "one", "--lease", "10", "tasks"]);
    await begun(running, place(), 1);
    running.kill("SIGKILL");
    await running.finished;
    // What its engine still runs must not be run a second time beside it.
    const tooSoon = await place().run(["-s", "localhost:1", "-p", "two", "-r", "one_status.txt", "tasks"]);
    expect(tooSoon.code).toBe(1);
    expect(tooSoon.stderr).toContain("is still at work");
    expect(tooSoon.stderr).toContain("If its driver died, go on with that run: driver --recover ");
    place().write("go", "");
    // What was published is finished first.
    await until("the task ends", () => existsSync(place().path("ended")));
    await until("all is gone", () => place().processes().length === 0 || place().processes(), 50_000);
  });

  it("an engine killed with -9 takes its tasks along, and the run says what is left", async () => {
    place().write("tasks", `${longTasks(2)}\necho later\n`);
    const running = start(["-s", "localhost:2", "-p", "one", "tasks"]);
    await begun(running, place(), 2);
    process.kill(place().pidOf("engine.js"), "SIGKILL");
    const { code, stdout } = await running.finished;
    expect(code).toBe(1);
    expect(stdout).toContain("No engine is left");
    expect(stdout).toContain("3 not done");
    expect(stdout).toMatch(/^To go on: driver -r /m);
    expect(place().rows("one")).toEqual([]);
    expect(place().processes()).toEqual([]);
  });
});
