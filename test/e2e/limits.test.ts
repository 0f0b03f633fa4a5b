import { chmodSync, chownSync, existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Running, bin, until, usePlace } from "./harness.js";
import { adminOf, redisServer } from "./redis-server.js";

const place = usePlace();
const isRoot = process.getuid?.() === 0;
/** Nobody else has it: the number of processes is limited for each user but root. */
const user = 64_124;

/** Exit codes of the rows, by task. */
function codes(prefix = ""): ReadonlyMap<number, string> {
  return new Map(
    place()
      .rows(prefix)
      .map((row) => [Number(row[1]), row[6] ?? ""]),
  );
}

function times(text: string, words: string): number {
  return text.split(words).length - 1;
}

describe.runIf(isRoot)("a host where no more processes can be started", () => {
  it("runs fewer tasks at a time than it was told to, all of them, once, and says so once", async () => {
    place().write("tasks", "echo $DISBATCH_TASKID >> ran; exec sleep 0.5\n".repeat(120));
    for (const path of [place().dir, place().tmp]) {
      chownSync(path, user, user);
      chmodSync(path, 0o755);
    }
    // Driver, engine and server have some thirty threads.
    const limits = [
      "setpriv",
      `--reuid=${user}`,
      `--regid=${user}`,
      "--clear-groups",
      "prlimit",
      "--nproc=60",
    ];
    const [program, ...args] = [...limits, bin, "-s", "localhost:50", "-e", "tasks"];
    const { code, stderr, stdout } = await place().command(program, args).finished;
    expect({ code, stdout }, stderr).toMatchObject({ code: 0 });
    expect(stdout).toContain("120 done");
    expect(times(stderr, "runs fewer tasks at a time: it is out of processes")).toBe(1);
    expect([...codes().values()]).toEqual(Array.from({ length: 120 }, () => "0"));
    const ran = place().read("ran").trim().split("\n").map(Number);
    expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, id) => id));
  }, 120_000);
});

describe("a host on which everything fails", () => {
  const dbutil = bin.replace(/driver$/, "dbutil");
  async function serve(...options: readonly string[]): Promise<Running> {
    // Where it is sound a task takes a while.
    place().write("tasks", 'test -z "$BROKEN" && sleep 0.1 && echo $DISBATCH_TASKID >> well\n'.repeat(3000));
    const driver = place().start(["-S", "-p", "run", ...options, "tasks"]);
    await until("the script that adds resources is linked", () =>
      existsSync(place().path("tasks_dbUtil.sh")),
    );
    return driver;
  }
  const add = (args: string, broken = ""): Running =>
    place().shell(`exec ./tasks_dbUtil.sh ${args}`, broken === "" ? {} : { env: { BROKEN: broken } });

  it("is drained and named, and the others do the rest", async () => {
    const driver = await serve();
    const sound = add("-s localhost:8 -l sound");
    await until("it works", () => existsSync(place().path("well")));
    const hole = add("-s localhost:2 -l hole", "yes");
    await until("it is drained", () => driver.stderr.includes("is to leave"));
    expect((await hole.finished).code).toBe(0);
    const status = await place().shell(`'${dbutil}' status --json run`).finished;
    const { engines } = JSON.parse(status.stdout) as { engines: { context: string; membership: string }[] };
    expect(engines.map(({ context, membership }) => `${context} ${membership}`)).toEqual([
      "sound member",
      "hole left",
    ]);
    expect((await sound.finished).code).toBe(0);
    const { stderr } = await driver.finished;
    expect(stderr).toMatch(
      /engine 1 on \S+ is to leave: the last \d+ tasks there failed within seconds, and others do not/,
    );
    expect(times(stderr, "is to leave")).toBe(1);
    expect(place().read("run_ledger")).toMatch(/"kind":"blackHole".*"name":"engine 1 on /);
    expect(place().read("run_driver.log")).toContain("black hole: drained");
    const failed = [...codes("run").values()].filter((code) => code !== "0").length;
    expect(codes("run").size).toBe(3000);
    // What it had before it could be known for what it is.
    expect(failed).toBeGreaterThanOrEqual(10);
    expect(failed).toBeLessThan(2000);
    expect(place().read("well").trim().split("\n")).toHaveLength(3000 - failed);
  }, 120_000);

  it("is kept if the user wants that", async () => {
    const driver = await serve("--no-drain-failing");
    const sound = add("-s localhost:2 -l sound");
    await until("it works", () => existsSync(place().path("well")));
    const hole = add("-s localhost:2 -l hole", "yes");
    for (const context of [sound, hole]) expect((await context.finished).code).toBe(0);
    const { stderr } = await driver.finished;
    expect(stderr).not.toContain("is to leave");
    expect(codes("run").size).toBe(3000);
  }, 120_000);

  it("is not drained as the last one, nor for what fails everywhere", async () => {
    place().write("tasks", "false\n".repeat(2000));
    const driver = place().start(["-S", "-p", "run", "tasks"]);
    await until("the script is linked", () => existsSync(place().path("tasks_dbUtil.sh")));
    const contexts = [add("-s localhost:1"), add("-s localhost:2")];
    for (const context of contexts) expect((await context.finished).code).toBe(0);
    const { stderr } = await driver.finished;
    expect(stderr).not.toContain("is to leave");
    expect(codes("run").size).toBe(2000);
  }, 60_000);
});

describe("a shared server that is full", () => {
  it("is waited for and said once; what is published already goes on, and its results get in", async () => {
    const server = await redisServer();
    const admin = adminOf(server.port);
    try {
      place().write("tasks", "until [ -e go ]; do sleep 0.02; done\n".repeat(2) + "true\n".repeat(400));
      const driver = place().start([
        "-s",
        "localhost:2",
        "-e",
        "--kvsserver",
        `127.0.0.1:${server.port}`,
        "tasks",
      ]);
      await until("two tasks run", async () => {
        const keys = (await admin.keys("tm:*:claims:*")) ?? [];
        const [claims = ""] = keys;
        return (await admin.hlen(claims)) >= 2;
      });
      await admin.config("SET", "maxmemory", "1mb");
      await expect(admin.set("more", "x")).rejects.toThrow("OOM");
      place().write("go", "");
      await until("it says so", () => driver.stderr.includes("the key-value store is full"));
      await until(
        "what ran has its row",
        () => (codes().get(0) === "0" && codes().get(1) === "0") || codes().size,
      );
      expect(codes().size).toBeLessThan(402);
      await admin.config("SET", "maxmemory", "0");
      const { code, stderr } = await driver.finished;
      expect(code).toBe(0);
      expect(times(stderr, "the key-value store is full")).toBe(1);
      expect([...codes().values()]).toEqual(Array.from({ length: 402 }, () => "0"));
    } finally {
      admin.disconnect();
      await server.stop();
    }
  }, 60_000);

  it("is said to whoever wants to begin a run there", async () => {
    const server = await redisServer("maxmemory 1mb", "maxmemory-policy noeviction");
    const admin = adminOf(server.port);
    try {
      await admin.config("SET", "maxmemory", "100kb");
      place().write("tasks", "true\n");
      const args = ["-s", "localhost:1", "--kvsserver", `127.0.0.1:${server.port}`, "tasks"];
      const { code, stderr } = await place().run(args);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr:
          "driver: the key-value store is full; raise its maxmemory (CONFIG SET maxmemory), or remove what others keep there\n",
      });
      expect(place().files()).toEqual(["tasks"]);
    } finally {
      admin.disconnect();
      await server.stop();
    }
  });
});
