import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Redis } from "ioredis";
import { stopProcess } from "../../packages/kvs/test/stop-process.js";
import { until, usePlace } from "./harness.js";
import { freePort, redisServer } from "./redis-server.js";

const place = usePlace();

describe("driver --kvsserver", () => {
  let open: Awaited<ReturnType<typeof redisServer>>;
  let locked: Awaited<ReturnType<typeof redisServer>>;
  let evicting: Awaited<ReturnType<typeof redisServer>>;

  beforeAll(async () => {
    open = await redisServer();
    locked = await redisServer("requirepass tops3cret");
    evicting = await redisServer("maxmemory 100mb", "maxmemory-policy allkeys-lru");
  });
  afterAll(async () => {
    await Promise.all([open.stop(), locked.stop(), evicting.stop()]);
  });

  it("runs several lists on one server, and leaves nothing of its own there", async () => {
    const client = new Redis({ port: open.port });
    await client.set("somebody", "else");
    place().write("tasks", "echo $DISBATCH_JOBID >> out.$DISBATCH_JOBID\n".repeat(50));
    const runs = await Promise.all(
      ["a", "b", "c"].map((name) =>
        place().run([
          "-s",
          "localhost:2",
          "-e",
          "--kvsserver",
          `127.0.0.1:${open.port}`,
          "-p",
          name,
          "tasks",
        ]),
      ),
    );
    expect(runs.map((run) => [run.code, run.stderr])).toEqual([
      [0, ""],
      [0, ""],
      [0, ""],
    ]);
    for (const name of ["a", "b", "c"]) {
      expect(place().rows(name)).toHaveLength(50);
      expect(place().read(`out.${name}`)).toBe(`${name}\n`.repeat(50));
    }
    expect(await client.keys("*")).toEqual(["somebody"]);
    client.disconnect();
  });

  it("takes URLs, and the password from the environment or a file", async () => {
    place().write("tasks", "true\n");
    place().write("password", "tops3cret\n");
    const url = `redis://127.0.0.1:${locked.port}`;
    for (const env of [
      { TASKMUSTER_KVS_PASSWORD: "tops3cret" },
      { TASKMUSTER_KVS_PASSWORD_FILE: place().path("password") },
    ]) {
      const { code, stderr } = await place().run(["-s", "localhost:1", "--kvsserver", url, "tasks"], { env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    }
    const fromEnvironment = await place().run(["-s", "localhost:1", "tasks", "--kvsserver"], {
      env: { TASKMUSTER_KVSSERVER: url, TASKMUSTER_KVS_PASSWORD: "tops3cret" },
    });
    expect(fromEnvironment.code).toBe(0);
  });

  it("refuses a server that refuses, wants a password, or evicts keys", async () => {
    place().write("tasks", "true\n");
    const free = await freePort();
    for (const [address, env, ...words] of [
      [`127.0.0.1:${free}`, {}, `127.0.0.1:${free}`, "refused"],
      [`127.0.0.1:${locked.port}`, {}, "password", "TASKMUSTER_KVS_PASSWORD"],
      [`127.0.0.1:${locked.port}`, { TASKMUSTER_KVS_PASSWORD: "wrong" }, "password"],
      [`127.0.0.1:${evicting.port}`, {}, "allkeys-lru", "noeviction"],
      [`redis://:tops3cret@127.0.0.1:${locked.port}`, {}, "TASKMUSTER_KVS_PASSWORD"],
      ["not an address", {}, "not an address"],
    ] as const) {
      const { code, stderr, stdout } = await place().run(
        ["-s", "localhost:1", "--kvsserver", address, "tasks"],
        { env },
      );
      for (const word of words) expect(stderr).toContain(word);
      expect(stderr).not.toContain("tops3cret");
      expect(stderr.trim().split("\n")).toHaveLength(1);
      // What is wrong with the option itself is a matter of the command line.
      const isUsage = stderr.includes("--kvsserver:");
      expect({ code, stdout }).toEqual({ code: isUsage ? 2 : 1, stdout: "" });
      expect(place().files()).toEqual(["tasks"]);
    }
  });

  it("never shows a secret in a command line or a log", async () => {
    place().write("tasks", "cat /proc/[0-9]*/cmdline > cmdlines 2>/dev/null; env > environment\n");
    await place().run(
      ["-s", "localhost:1", "--kvsserver", `127.0.0.1:${locked.port}`, "--loglevel", "DEBUG", "tasks"],
      {
        env: { TASKMUSTER_KVS_PASSWORD: "tops3cret" },
      },
    );
    for (const name of place().files())
      expect([name, place().read(name).includes("tops3cret")]).toEqual([name, false]);
  });

  it("clears away what a killed driver has left there, once nobody works for it", async () => {
    const client = new Redis({ port: open.port });
    place().write("tasks", "touch up; until [ -e go ]; do sleep 0.05; done\n");
    const server = ["--kvsserver", `127.0.0.1:${open.port}`];
    const running = place().start(["-s", "localhost:1", ...server, "-p", "one", "tasks"]);
    await until("it runs", () => place().files().includes("up"));
    const engine = place().pidOf("engine.js");
    await stopProcess(engine);
    running.kill("SIGKILL");
    process.kill(engine, "SIGKILL");
    await until("all is dead", () => place().processes().length === 0 || place().processes());
    expect((await client.keys("tm:*")).length).toBeGreaterThan(3);
    place().write("go", "");
    const resumed = await place().resume("two", "one_status.txt", ...server);
    expect(resumed.code).toBe(0);
    expect(await client.keys("tm:*")).toEqual([]);
    client.disconnect();
  });
});
