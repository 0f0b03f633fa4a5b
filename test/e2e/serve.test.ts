import { chmodSync, existsSync, readlinkSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { type Finished, type Running, bin, until, usePlace } from "./harness.js";

const place = usePlace();
const dbutil = bin.replace(/driver$/, "dbutil");

/** A driver that serves `lines`, as soon as resources can be added. */
async function serve(lines: readonly string[], ...options: readonly string[]): Promise<Running> {
  place().write("tasks", `${lines.join("\n")}\n`);
  const driver = place().start(["-S", "-p", "run", ...options, "tasks"]);
  await until("the script that adds resources is linked", () => existsSync(place().path("tasks_dbUtil.sh")));
  return driver;
}

/** `./tasks_dbUtil.sh ARGS` from another directory. */
function add(args: string): Running {
  return place().shell(`s=$PWD/tasks_dbUtil.sh; cd /; exec "$s" ${args}`);
}

async function ok(running: Running): Promise<Finished> {
  const finished = await running.finished;
  expect(finished, finished.stderr).toMatchObject({ code: 0, stderr: "" });
  return finished;
}

const slow = "until [ -e go ]; do sleep 0.02; done; echo $DISBATCH_ENGINE_RANK >> ran";

describe("driver -S", () => {
  it("waits for contexts, which dbUtil.sh adds any number of times, and ends with the list", async () => {
    const driver = await serve(Array.from({ length: 6 }, () => slow));
    expect(readlinkSync(place().path("tasks_dbUtil.sh"))).toBe(place().path("run_dbUtil.sh"));
    expect(statSync(place().path("run_dbUtil.sh")).mode & 0o777).toBe(0o700);
    const contexts = [add("-s localhost:2"), add("-s localhost:2 -l mine"), add("-s localhost:4 -c 2")];
    await until(
      "all six run",
      async () => (await status()).engines.reduce((sum, e) => sum + e.claims, 0) === 6,
    );
    place().write("go", "");
    for (const context of contexts) {
      expect((await ok(context)).stdout).toMatch(
        /^context \S+: 1 node, 2 slots\ncontext \S+: all its engines have left\n$/,
      );
    }
    const { code, stdout, stderr } = await driver.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(
      `Run this script to add compute contexts:\n   ${place().path("run_dbUtil.sh")}\n`,
    );
    expect(stdout).toContain("6 done");
    expect(new Set(place().read("ran").trim().split("\n"))).toEqual(new Set(["0", "1", "2"]));
    expect(place().files()).toContain("run_mine.context.log");
  });

  it("lets a context that comes too late go in peace", async () => {
    const driver = await serve(["true"]);
    await ok(add("-s localhost:1"));
    await driver.finished;
    const late = await ok(add("-s localhost:1"));
    expect(late.stdout).toContain("Run done, context not registering.");
    expect(late.stdout).toContain("finished, 1 task done");
  });

  it("lets engines and contexts go when asked, and the others go on", async () => {
    const driver = await serve(Array.from({ length: 4 }, () => slow));
    const first = add("-s localhost:2 -l first");
    await until("two run", async () => (await status()).engines[0]?.claims === 2);
    const second = add("-s localhost:2 -l second");
    await until("four run", async () => (await status()).engines[1]?.claims === 2);
    const asked = await place().shell(`'${dbutil}' retire --run run first`).finished;
    expect(asked).toMatchObject({ code: 0, stderr: "" });
    expect(asked.stdout).toBe("context first (1 engine): finishes what it runs and leaves\n");
    await until("it drains", async () => (await status()).engines[0]?.wanted === "drain");
    place().write("go", "");
    await ok(first);
    await ok(second);
    expect((await driver.finished).code).toBe(0);
    expect(driver.stderr).toContain("context first is to finish what it runs and leave (asked by ");
  });

  it("ends when asked, softly or at once", async () => {
    const driver = await serve([slow, slow, slow]);
    const context = add("-s localhost:2");
    await until("two run", async () => (await status()).engines[0]?.claims === 2);
    const soft = await place().shell(`'${dbutil}' stop run`).finished;
    expect(soft.stdout).toBe("the run finishes what runs, starts nothing more, and ends\n");
    const hard = await place().shell(`./tasks_dbUtil.sh stop --now`).finished;
    expect(hard.stdout).toBe("the run stops what runs, and ends\n");
    await ok(context);
    const { code, stdout } = await driver.finished;
    expect(code).toBe(1);
    expect(stdout).toContain("Stopped by dbutil stop --now");
    expect(place().rows("run")).toEqual([]);
  });

  it("gives what runs on a context that is stopped to another, and counts no failure", async () => {
    const driver = await serve([slow]);
    const first = add("-s localhost:1 -l first");
    await until("it runs", async () => (await status()).engines[0]?.stats?.busy === 1);
    first.kill("SIGTERM");
    await first.finished;
    const second = add("-s localhost:1 -l second");
    await until("it runs again", async () => (await status()).engines[1]?.stats?.busy === 1);
    place().write("go", "");
    await ok(second);
    expect((await driver.finished).stdout).toContain("1 done");
    expect(
      place()
        .rows("run")
        .map((row) => row[0]),
    ).toEqual(["    "]);
  });

  it("limits each context to the tasks that it may run, exactly", async () => {
    const driver = await serve(Array.from({ length: 20 }, () => "echo $DISBATCH_ENGINE_RANK >> ran"));
    await ok(add("-s localhost:3 -C 7"));
    expect(place().read("ran").trim().split("\n")).toHaveLength(7);
    await ok(add("-s localhost:3"));
    expect((await driver.finished).stdout).toContain("20 done");
  });

  it("runs START on each engine that joins, and with --start-must-succeed keeps those out on which it fails", async () => {
    const start = "#DISBATCH PERENGINE START [ $DISBATCH_ENGINE_RANK != 0 ]";
    const driver = await serve([start, "true", "true"], "--start-must-succeed");
    const first = await add("-s localhost:1").finished;
    expect(first.code).toBe(1);
    expect(first.stderr).toContain("PERENGINE START 0 failed (exit 1)");
    await ok(add("-s localhost:1"));
    expect((await driver.finished).stdout).toContain("2 done");
    expect(
      place()
        .rows("run")
        .map((row) => [row[0], row[6]]),
    ).toEqual([
      ["R  P", "1"],
      ["   P", "0"],
      ["    ", "0"],
      ["    ", "0"],
    ]);
  });

  it("with --idle-timeout lets an engine go that has had nothing to do for so long", async () => {
    const driver = await serve(["true", slow]);
    const idle = await ok(add("-s localhost:1 -l early -C 1"));
    expect(idle.stdout).toContain("context early: all its engines have left");
    const busy = add("-s localhost:1 -l busy");
    await until("one works", async () => (await status()).engines[1]?.claims === 1);
    await ok(add("-s localhost:1 -l idle --idle-timeout 0.5"));
    const { stdout } = await place().shell(`'${dbutil}' status run`).finished;
    expect(stdout).toContain("gone: idle for 0.5 s");
    place().write("go", "");
    await ok(busy);
    expect((await driver.finished).stdout).toContain("2 done");
  });

  it("takes in engines of many contexts that join at the same time", async () => {
    const driver = await serve(
      Array.from({ length: 60 }, () => "echo $DISBATCH_ENGINE_RANK >> ran; sleep 0.3"),
    );
    const contexts = Array.from({ length: 12 }, () => add("-s localhost:1"));
    for (const context of contexts) await ok(context);
    expect((await driver.finished).stdout).toContain("60 done");
    const ids = place()
      .rows("run")
      .map((row) => Number(row[1]));
    expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, id) => id));
  });

  it("refuses a label that is taken, and what is no context option, and starts nothing", async () => {
    const driver = await serve([slow]);
    const first = add("-s localhost:1 -l one");
    await until("it runs", async () => (await status()).engines[0]?.claims === 1);
    expect(await add("-s localhost:1 -l one").finished).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("-l one: this run has, or had, a context of that name"),
    });
    expect(await add("--exit-code").finished).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("unknown option: --exit-code"),
    });
    expect((await status()).engines).toHaveLength(1);
    place().write("go", "");
    await ok(first);
    await driver.finished;
  });

  it("is told of by dbutil status", async () => {
    const driver = await serve([slow, "false"]);
    const empty = await place().shell(`'${dbutil}' status`).finished;
    expect(empty.stdout).toContain("serving: resources may be added");
    const context = add("-s localhost:2 -l lab");
    await until("it runs", async () => (await status()).failed === 1);
    const text = (await place().shell(`'${dbutil}' status run`).finished).stdout;
    expect(text).toContain(`run      ${place().path("run")}\n`);
    expect(text).toContain("tasks    1 of 2 done, 1 failed, 0 queued\n");
    expect(text).toContain("context  lab (local, from ");
    expect(text).toContain(`engine   0 lab ${hostname()}: 2 slots, `);
    place().write("go", "");
    await ok(context);
    await driver.finished;
    const over = await place().shell(`'${dbutil}' status run`).finished;
    expect(over.code).toBe(2);
    expect(over.stderr).toContain("has ended: finished, 2 tasks done");
  });

  it("survives the end of its terminal when told so (nohup), and means nothing by a stray warning signal", async () => {
    const driver = await serve([slow]);
    const context = place().shell(`trap "" HUP; exec ./tasks_dbUtil.sh -s localhost:1`);
    await until("it runs", async () => (await status()).engines[0]?.claims === 1);
    context.kill("SIGHUP");
    driver.kill("SIGUSR1");
    driver.kill("SIGUSR2");
    place().write("go", "");
    await ok(context);
    expect((await driver.finished).stdout).toContain("1 done");
    expect(place().read("ran")).toBe("0\n");
  });

  it("refuses to be told where to run as well", async () => {
    place().write("tasks", "true\n");
    const { code, stderr } = await place().run(["-S", "-s", "localhost:1", "tasks"]);
    expect(code).toBe(2);
    expect(stderr).toContain("-S starts no engines, so -s cannot go with it");
  });
});

describe("a host that hangs", () => {
  it("keeps neither a run nor a context from ending", async () => {
    // It lets us in, says nothing, and never will.
    place().write("ssh", "#!/bin/sh\nexec sleep 600\n");
    chmodSync(place().path("ssh"), 0o755);
    const env = { PATH: `${place().dir}:${process.env["PATH"] ?? ""}` };
    place().write("list", "true\ntrue\n");
    const own = await place().run(["-s", "localhost:1,hangs:1", "-p", "own", "list"], { env });
    const said = "driver: hangs: given up: it had not been heard of when the run was over\n";
    expect(own).toMatchObject({ code: 0, stderr: said });
    const driver = await serve(["true"]);
    const context = await place().shell("./tasks_dbUtil.sh -s localhost:1,hangs:1", { env }).finished;
    expect(context).toMatchObject({ code: 0, stderr: "" });
    expect((await driver.finished).code).toBe(0);
  });
});

interface Status {
  readonly failed?: number;
  readonly engines: readonly {
    readonly rank: number;
    readonly claims: number;
    readonly wanted: string;
    readonly stats: { readonly busy: number } | null;
  }[];
}

async function status(): Promise<Status> {
  const { stdout } = await place().shell(`'${dbutil}' status --json run`).finished;
  const parsed: unknown = JSON.parse(stdout);
  return parsed as Status;
}
