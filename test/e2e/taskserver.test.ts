import { createServer } from "node:net";
import { Redis } from "ioredis";
import { afterEach, describe, expect, it } from "vitest";
import { TestServer, onPath } from "../../packages/kvs/test/test-server.js";
import { startProgram, writeGenerator } from "./embedding-programs.js";
import { until, usePlace } from "./harness.js";

const place = usePlace();
const binary = onPath("redis-server") ?? "";
const engines = ["-s", "localhost:2", "-p", "run"];

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

describe("driver --taskserver", () => {
  let server: TestServer | null = null;

  afterEach(async () => {
    await server?.stop();
    server = null;
  });

  async function startServer(...settings: string[]): Promise<TestServer> {
    server = await TestServer.start(binary, settings);
    return server;
  }

  async function signIn(redis: TestServer): Promise<void> {
    await redis.command("RPUSH", "task source task key", "t");
    await redis.command("RPUSH", "task source result key", "r");
    await redis.command("RPUSH", "task source done task", "no more");
    await redis.command("RPUSH", "task source name", "by hand");
  }

  it("takes tasks that are pushed by hand, and gives their results to whoever pops them", async () => {
    const redis = await startServer();
    const driver = place().start([...engines, "--taskserver", `unix://${redis.socket}`]);
    await signIn(redis);
    await redis.command("RPUSH", "t", "#DISBATCH PERENGINE START echo begin", "echo one\necho two", "exit 3");
    const ids: string[] = [];
    for (let count = 0; count < 3; count++) {
      const popped = await redis.command("BLPOP", "r done tasks", "20");
      ids.push(String(Array.isArray(popped) ? popped[1] : popped));
    }
    expect(ids.toSorted()).toEqual(["0", "1", "2"]);
    const statuses: unknown[] = [];
    for (const id of [0, 1, 2]) statuses.push(JSON.parse(String(await redis.command("LPOP", `r ${id}`))));
    expect(statuses).toMatchObject([
      { TaskId: 0, TaskStreamIndex: 2, TaskCmd: "echo one", OutData: "one\n", ReturnCode: 0 },
      { TaskId: 1, TaskStreamIndex: 2, TaskCmd: "echo two", OutData: "two\n", ReturnCode: 0 },
      { TaskId: 2, TaskStreamIndex: 3, TaskCmd: "exit 3", Flags: "R   ", ReturnCode: 3 },
    ]);
    await redis.command(
      "RPUSH",
      "t",
      "echo $DISBATCH_NAMETASKS",
      "#DISBATCH BARRIER passed",
      "no more",
      "never",
    );
    expect(await redis.command("BLPOP", "passed", "20")).toEqual(["passed", "4"]);
    expect((await driver.finished).code).toBe(0);
    // The row of PERENGINE START has id 0, too: it is nobody's result.
    expect(
      place()
        .rows("run")
        .map(([flags, id]) => `${flags ?? ""}${id ?? ""}`)
        .toSorted(),
    ).toEqual([" O  0", " O  1", " O  3", " O P0", "B    4", "R   2"]);
    const end = await redis.command("LPOP", "r end");
    expect(JSON.parse(String(end))).toEqual({ reason: "finished", message: null });
    // What was not fetched stays for a while, and nothing else.
    expect(await redis.strings("KEYS", "*")).toEqual(["r 3", "r done tasks"]);
    expect(String(await redis.command("LPOP", "r 3"))).toContain('"OutData":"STREAM\\n"');
  });

  it.each([
    [
      "is no list",
      ["SET", "task source name", "x"],
      "Operation against a key holding the wrong kind of value",
    ],
    ["has a name that is no text", ["RPUSH", "task source task key", Buffer.from([0xff, 0xfe])], "not UTF-8"],
    ["has a name without end", ["RPUSH", "task source result key", "x".repeat(2_000)], "2000 bytes"],
  ] as const)("refuses a sign-in that %s", async (_, [name, ...args], word) => {
    const redis = await startServer();
    await redis.command(name, ...args);
    if (name !== "SET") {
      for (const key of [
        "task source task key",
        "task source result key",
        "task source done task",
        "task source name",
      ])
        await redis.command("RPUSH", key, "x");
    }
    const driver = await place().run([...engines, "--taskserver", `unix://${redis.socket}`]);
    expect(driver.code).toBe(1);
    expect(driver.stderr).toContain(word);
    expect(place().files()).toEqual([]);
  });

  it("fails a task that is longer than a command can be, and refuses one that is no command", async () => {
    const redis = await startServer();
    const driver = place().start([...engines, "--taskserver", `unix://${redis.socket}`]);
    await signIn(redis);
    await redis.command("RPUSH", "t", `: ${"x".repeat(200_000)}`, "true");
    for (let count = 0; count < 2; count++) await redis.command("BLPOP", "r done tasks", "20");
    expect(JSON.parse(String(await redis.command("LPOP", "r 0")))).toMatchObject({ ReturnCode: 7 });
    await redis.command("RPUSH", "t", "x".repeat(65 * 1024 * 1024), "true");
    const { code, stdout, stderr } = await driver.finished;
    expect(code).toBe(1);
    expect(stdout + stderr).toContain("line 3");
    expect(stdout + stderr).toContain("Is this a list of commands?");
    expect(place().rows("run")).toHaveLength(2);
  });

  it("serves a DisBatcher that somebody else starts", async () => {
    const redis = await startServer("--requirepass", "s3cret");
    const env = { TASKMUSTER_KVS_PASSWORD: "s3cret" };
    const driver = place().start([...engines, "--taskserver", `unix://${redis.socket}`], { env });
    const program = startProgram(
      place(),
      `const batcher = new DisBatcher({ kvsServer: ${JSON.stringify(`unix://${redis.socket}`)} });
batcher.submit("echo a");
say((await batcher.waitOneTask()).OutData);
batcher.submit("echo b");
say((await batcher.done()).reason);
for await (const status of batcher.results()) say(status.OutData);`,
      { env },
    );
    expect((await program.finished).stdout).toBe("a\n\nfinished\nb\n\n");
    expect((await driver.finished).code).toBe(0);
    const admin = new Redis({ path: redis.socket, password: "s3cret", protocol: 2 });
    expect(await admin.keys("*")).toEqual([]);
    admin.disconnect();
  });

  it("stops waiting for a program that does not come", async () => {
    const driver = place().start([...engines, "--taskserver"]);
    await until("its store is there", () => place().files().includes("run_kvsinfo.txt"));
    driver.kill("SIGINT");
    const { code, stderr } = await driver.finished;
    expect(stderr).toContain("stopped while waiting for the first task");
    expect(code).not.toBe(0);
    expect(
      place()
        .files()
        .filter((name) => name.startsWith("run")),
    ).toEqual([]);
  });

  it("resumes: what the program submits again and was done is given as it was", async () => {
    const redis = await startServer();
    const first = place().start([...engines, "--taskserver", `unix://${redis.socket}`]);
    await signIn(redis);
    await redis.command("RPUSH", "t", "echo a", "no more");
    await first.finished;
    await redis.command("FLUSHALL");
    const again = ["-s", "localhost:2", "-p", "again", "-r", "run_status.txt"];
    const second = place().start([...again, "--taskserver", `unix://${redis.socket}`]);
    await signIn(redis);
    await redis.command("RPUSH", "t", "echo a", "echo b", "no more");
    expect((await second.finished).code).toBe(0);
    expect(String(await redis.command("LPOP", "r 0"))).toContain('"Flags":" O S"');
    expect(String(await redis.command("LPOP", "r 1"))).toContain('"Flags":" O  "');
  });
});

describe("driver --taskcommand", () => {
  it("runs what a command submits, which decides by the results what comes next", async () => {
    const command = writeGenerator(
      place(),
      `await signIn();
await push("echo 1");
for (let value = 1; value < 50; ) {
  value = 3 * Number((await result()).OutData);
  await push("echo " + value);
}
await done();
const last = await result();
console.log("the last is", last.OutData.trim());`,
    );
    const { code, stderr } = await place().run([...engines, "--taskcommand", command]);
    expect(stderr).toBe("the last is 81\n");
    expect(code).toBe(0);
    expect(place().rows("run")).toHaveLength(5);
    expect(place().read("run_tasks")).toBe("echo 1\necho 3\necho 9\necho 27\necho 81\n");
  });

  it("does not end before the command", async () => {
    const command = writeGenerator(
      place(),
      `await signIn();
await push("echo 1");
await done();
while ((await result()) === null);
await new Promise((resolve) => setTimeout(resolve, 500));
(await import("node:fs")).writeFileSync("report", "written");`,
    );
    const { code } = await place().run([...engines, "--taskcommand", command]);
    expect(code).toBe(0);
    expect(place().read("report")).toBe("written");
  });

  it("runs all that was submitted when the command ends without saying that no more comes", async () => {
    const command = writeGenerator(
      place(),
      `await signIn(); await push("echo 1", "echo 2"); process.exitCode = 6;`,
    );
    const { code, stderr } = await place().run([...engines, "--taskcommand", command]);
    expect(stderr).toBe(
      "driver: the task command ended (exit status 6) without the done task: the list ends here\n",
    );
    expect(code).toBe(0);
    expect(place().rows("run")).toHaveLength(2);
  });

  it("says so when the command ends before it signs in", async () => {
    const { code, stderr } = await place().run([
      ...engines,
      "--taskcommand",
      "echo cannot find my data >&2; exit 3",
    ]);
    expect(stderr).toContain(
      "the task command ended (exit status 3) before it signed in. It said:\ncannot find my data",
    );
    expect(code).toBe(1);
    expect(
      place()
        .files()
        .filter((name) => name.startsWith("run")),
    ).toEqual([]);
  });

  it("is told of a store on TCP in disBatch's way, too", async () => {
    const port = await freePort();
    const server = await TestServer.start(binary, ["--port", String(port), "--bind", "127.0.0.1"]);
    try {
      const command = writeGenerator(
        place(),
        `await signIn();
await push(\`echo \${env.KVSSTCP_HOST}:\${env.KVSSTCP_PORT} \${env.TASKMUSTER_KVS_URL}\`, "echo [$KVSSTCP_HOST$TASKMUSTER_KVS_URL]");
await done();`,
      );
      const args = [...engines, "--kvsserver", `127.0.0.1:${port}`, "--taskcommand", command];
      expect((await place().run(args)).code).toBe(0);
      const outputs = place()
        .rows("run")
        .map((row) => row[11] ?? "")
        .toSorted();
      // The tasks themselves are told nothing.
      expect(outputs).toEqual([`'127.0.0.1:${port} redis://127.0.0.1:${port}\\n'`, String.raw`'[]\n'`]);
    } finally {
      await server.stop();
    }
  });

  it("is stopped with the run", async () => {
    const command = writeGenerator(
      place(),
      `process.on("SIGTERM", () => { console.log("told to go"); process.exit(0); });
await signIn();
await push("exit 1");
await new Promise((resolve) => setTimeout(resolve, 1_000_000));`,
    );
    const { code, stderr } = await place().run([...engines, "-f", "--taskcommand", command]);
    expect(code).toBe(1);
    expect(stderr).toContain("told to go");
  });

  it("is stopped by Ctrl-C, also when only the command is left", async () => {
    const command = writeGenerator(
      place(),
      `await signIn();
await push("touch done");
await done();
await result();
console.log("only me");
await new Promise((resolve) => setTimeout(resolve, 1_000_000));`,
    );
    const driver = place().start([...engines, "--taskcommand", command]);
    await until("the tasks are done", () => driver.stderr.includes("only me"));
    await until("the run has ended", () => place().read("run_ledger").includes('"kind":"end"'));
    await until("the command is gone", () => {
      if (driver.child.exitCode === null) driver.kill("SIGINT");
      return !place()
        .processes()
        .some(({ name }) => name.includes("generator.mjs"));
    });
    await driver.finished;
  });
});
