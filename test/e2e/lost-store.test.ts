import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { account, attempts, ended, journalled } from "../cluster/journal.js";
import { until, usePlace } from "./harness.js";

const place = usePlace();

/** Kills the run's private Redis, whichever life of it there is. */
async function killServer(): Promise<number> {
  let killed = 0;
  await until("a server to kill", () => {
    const found = place()
      .processes()
      .filter(({ name }) => /^redis-server|\/redis-server/.test(name));
    const pid = found.length === 1 ? (found[0]?.pid ?? 0) : 0;
    if (pid <= 1) return found;
    // Throws when it has died meanwhile: then there is another one soon.
    process.kill(pid, "SIGKILL");
    killed = pid;
    return true;
  });
  await until("it is dead", () =>
    place()
      .processes()
      .every(({ pid }) => pid !== killed),
  );
  return killed;
}

/** Two halves with a barrier between, the second one a repeat; `command` between two lines of the journal. */
function list(half: number, command: string): string {
  const tasks = journalled(half, command);
  return `${tasks}#DISBATCH BARRIER\n#DISBATCH REPEAT ${half} start 0 ${command}\n`;
}

/** Each task and the barrier has its row, and no task ran twice, not even one after the other. */
function expectOnce(half: number): void {
  const rows = place().rows("run");
  const ids = rows.map((row) => Number(row[1])).toSorted((a, b) => a - b);
  expect(ids).toEqual(Array.from({ length: 2 * half + 1 }, (_, id) => id));
  const ran = attempts(place());
  expect(ran.map(({ task }) => task).toSorted((a, b) => a - b)).toEqual(ids.filter((id) => id !== half));
  expect(ran.filter(({ end }) => end === null)).toEqual([]);
  // I4: what is after the barrier began when all before had ended.
  const before = ran.filter(({ task }) => task < half).map(({ end }) => end ?? Infinity);
  const after = ran.filter(({ task }) => task > half).map(({ start }) => start);
  expect(Math.max(...before)).toBeLessThanOrEqual(Math.min(...after));
}

describe("a private Redis that is killed", () => {
  it("is started again, and the run goes on: no task runs twice, none is lost", async () => {
    place().write("tasks", list(40, "sleep 0.2"));
    const running = place().start(["-s", "localhost:4", "-p", "run", "--lease", "5", "tasks"]);
    await until("some have ended", () => ended(place()) >= 6);
    const first = await killServer();
    await until("it is told", () => running.stderr.includes("is started again") || running.stderr);
    await until("another one", () => place().pidOf("redis-server") !== first);
    const { code, stderr } = await running.finished;
    expect(stderr.match(/private Redis server died \(SIGKILL\)/g)).toHaveLength(1);
    expect(stderr).not.toMatch(/lost|broken/);
    expect(code).toBe(0);
    expectOnce(40);
    expect(
      place()
        .read("run_ledger")
        .match(/"kind":"epoch"/g),
    ).toHaveLength(2);
    // What waited in the store may have been begun by somebody whom nobody saw, for all that the driver knows.
    const [, givenUp] = /"givenUp":(\d+)/.exec(place().read("run_driver.log")) ?? [];
    expect(Number(givenUp)).toBeGreaterThan(0);
    expect(Number(givenUp)).toBeLessThan(40);
  });

  it("may be killed twice, and while what it held is not settled yet", async () => {
    place().write("tasks", list(30, "sleep 0.3"));
    const running = place().start(["-s", "localhost:3,localhost:2", "-p", "run", "--lease", "5", "tasks"]);
    await until("some have ended", () => ended(place()) >= 4);
    await killServer();
    await until("it is back", () => running.stderr.includes("is started again") || running.stderr);
    await killServer();
    await until("the list is nearly done", () => ended(place()) >= 50);
    await killServer();
    const { code, stderr } = await running.finished;
    expect(stderr.match(/private Redis server died/g)).toHaveLength(3);
    expect(code).toBe(0);
    expectOnce(30);
  });

  it("may be killed when all is done and everybody is about to go", async () => {
    place().write("tasks", journalled(4, "sleep 0.5"));
    const running = place().start(["-s", "localhost:4", "-p", "run", "--lease", "5", "tasks"]);
    await until("all have ended", () => ended(place()) === 4);
    await killServer().catch(() => undefined);
    expect((await running.finished).code).toBe(0);
    account(place(), 4);
  });

  it("lets a run be stopped while it is being brought back", async () => {
    place().write("tasks", journalled(40, "sleep 0.2"));
    const running = place().start(["-s", "localhost:4", "-p", "run", "tasks"]);
    await until("some have ended", () => ended(place()) >= 4);
    await killServer();
    running.kill("SIGTERM");
    const { code, stderr } = await running.finished;
    expect(code).not.toBe(0);
    expect(stderr).not.toContain("broken off");
    // Nobody was killed: those that had ended are recorded.
    expect(place().rows("run").length).toBeGreaterThanOrEqual(4);
  });

  it("ends the run when it dies again and again, with what is left and how to resume", async () => {
    place().write("tasks", journalled(500, "sleep 0.2"));
    const running = place().start(["-s", "localhost:2", "-p", "run", "tasks"]);
    await until("some have ended", () => ended(place()) >= 2);
    for (let death = 1; death <= 6; death++) await killServer();
    const { code, stdout, stderr } = await running.finished;
    expect(code).not.toBe(0);
    expect(stderr.match(/is started again/g)).toHaveLength(5);
    expect(stdout).toMatch(/broken off: the private Redis server is lost: it died 6 times within a minute/);
    expect(stdout).toContain("-r ");
  });
});

/** A Redis of somebody else's, that can be stopped, killed and started again on its port. */
class OtherRedis {
  readonly port: number;
  #child: ChildProcess | null = null;

  constructor(port: number) {
    this.port = port;
  }

  async start(): Promise<void> {
    const child = spawn("redis-server", ["-"], { stdio: ["pipe", "ignore", "ignore"], cwd: "/" });
    child.stdin?.end(`port ${this.port}\nbind 127.0.0.1\nsave ""\n`);
    this.#child = child;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await exited;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

describe("an external Redis", () => {
  let redis: OtherRedis | null = null;
  afterEach(async () => {
    await redis?.kill();
    redis = null;
  });

  async function started(lease: string, tasks: string, slots = 4) {
    redis = new OtherRedis(await freePort());
    await redis.start();
    const server = redis;
    const address = `127.0.0.1:${server.port}`;
    place().write("tasks", tasks);
    await until("the server listens", async () => {
      const probe = place().command("redis-cli", ["-p", `${server.port}`, "ping"]);
      return (await probe.finished).stdout.includes("PONG");
    });
    const running = place().start([
      "-s",
      `localhost:${slots}`,
      "-p",
      "run",
      "--lease",
      lease,
      "--kvsserver",
      address,
      "tasks",
    ]);
    await until("some have ended", () => ended(place()) >= 4);
    return { server, running };
  }

  it("that is stopped for a while costs nothing, and is told once", async () => {
    const { server, running } = await started("60", list(40, "sleep 0.4"));
    server.signal("SIGSTOP");
    const before = ended(place());
    await until("what runs goes on", () => ended(place()) > before);
    await until("it is told", () => running.stderr.includes("does not answer") || running.stderr);
    server.signal("SIGCONT");
    const { code, stderr } = await running.finished;
    expect(stderr.match(/does not answer/g)).toHaveLength(1);
    expect(stderr.match(/answers again, after \d+ s/g)).toHaveLength(1);
    expect(code).toBe(0);
    expectOnce(40);
  });

  it("that comes back empty is given the run again", async () => {
    const { server, running } = await started("5", list(40, "sleep 0.2"));
    await server.kill();
    await server.start();
    const { code, stderr } = await running.finished;
    expect(stderr.match(/has forgotten this run/g)).toHaveLength(1);
    expect(code).toBe(0);
    expectOnce(40);
  });

  it("that is away for longer than a lease costs what ran, and nothing else", async () => {
    const held = "until [ -e go ]; do sleep 0.1; done\n";
    const { server, running } = await started("5", `${journalled(4, "true")}${held.repeat(8)}`);
    await until("all slots are taken", () => attempts(place()).length === 8 || attempts(place()));
    await server.kill();
    await until("it is told", () => running.stderr.includes("does not answer") || running.stderr);
    const shells = () =>
      place()
        .processes()
        .filter(({ name }) => name.includes("[ -e go ]"));
    await until("what ran is dead", () => shells().length === 0 || shells(), 60_000);
    place().write("go", "");
    await server.start();
    const { code, stderr } = await running.finished;
    expect(stderr.match(/does not answer/g)).toHaveLength(1);
    expect(stderr.match(/answers again/g)).toHaveLength(1);
    expect(code).toBe(0);
    const tries = account(place(), 12);
    expect(tries.filter(({ end }) => end === null)).toHaveLength(4);
  });
});
