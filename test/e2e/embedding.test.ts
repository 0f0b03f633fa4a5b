import { describe, expect, it } from "vitest";
import { findPython, startProgram, startPython } from "./embedding-programs.js";
import { until, usePlace } from "./harness.js";

const place = usePlace();
const batcher = `const batcher = new DisBatcher({ tasksName: "test", args: ["-s", "localhost:2", "-p", "run", "--grace", "1"] });`;

describe("a DisBatcher", () => {
  it("runs what a program submits, and gives it the results", async () => {
    const { code, stdout, stderr } = await startProgram(
      place(),
      `${batcher}
for (let x = 0; x < 4; x++) batcher.submit(\`echo \${x * x}; exit \${x === 2 ? 3 : 0}\`);
const found = await batcher.syncTasks([0, 1, 2, 3]);
for (const [id, status] of found) say(id, status.ReturnCode, status.OutData.trim(), status.TaskCmd);
say([...(await batcher.syncTasks([2])).values()].map((status) => status.ReturnCode));
batcher.submit("#DISBATCH REPEAT 3 start 100 step 10 echo $DISBATCH_REPEAT_INDEX");
const ids = [];
for (let x = 0; x < 3; x++) ids.push((await batcher.waitOneTask()).TaskId);
say(ids.sort());
const summary = await batcher.done();
say(summary.reason, summary.done, summary.failed);`,
    ).finished;
    expect(stderr).toBe("");
    expect(stdout.split("\n")).toEqual([
      "0 0 0 echo 0; exit 0",
      "1 0 1 echo 1; exit 0",
      "2 3 4 echo 4; exit 3",
      "3 0 9 echo 9; exit 0",
      "[3]",
      "[4,5,6]",
      "finished 7 1",
      "",
    ]);
    expect(code).toBe(0);
    expect(place().rows("run")).toHaveLength(7);
    expect(
      place()
        .files()
        .filter((name) => name.endsWith("_kvsinfo.txt")),
    ).toEqual([]);
  });

  it("starts the last task when it is submitted, gives results one by one, and takes more tasks meanwhile", async () => {
    const { stdout } = await startProgram(
      place(),
      `${batcher}
await batcher.submit("echo 1");
let ended;
for await (const status of batcher.results()) {
  say(status.TaskId, status.OutData.trim());
  const value = 2 * Number(status.OutData);
  if (value < 100) batcher.submit("echo " + value);
  else ended ??= batcher.done();
}
say((await ended).reason);`,
    ).finished;
    expect(stdout).toBe("0 1\n1 2\n2 4\n3 8\n4 16\n5 32\n6 64\nfinished\n");
  });

  it("keeps results that were not asked for until they are", async () => {
    const { stdout } = await startProgram(
      place(),
      `${batcher}
for (let x = 0; x < 700; x++) batcher.submit(":");
say((await batcher.done()).done);
say((await batcher.syncTasks([699])).size);
let count = 0;
for await (const status of batcher.results()) count++;
say(count);
await batcher.waitOneTask().catch((error) => say(error.code, error.message));`,
    ).finished;
    expect(stdout).toBe("700\n1\n699\nE_RUN_OVER the run has ended: all its results have been given\n");
  });

  it("rejects at every call when the driver does not take its arguments", async () => {
    const { stdout, code } = await startProgram(
      place(),
      `const batcher = new DisBatcher({ args: ["-s", "localhost:1", "--nonsense"] });
const calls = [batcher.submit("x"), batcher.waitOneTask(), batcher.syncTasks([0]), batcher.done(), batcher.results().next()];
for (const end of await Promise.allSettled(calls)) say(end.status, end.reason.code);
await batcher.stop();
try { await batcher.done(); } catch (error) { say(error.message); }
try { new DisBatcher({ args: ["-e"], kvsServer: "localhost:1" }); } catch (error) { say(error.code); }`,
    ).finished;
    expect(stdout.split("\n").slice(0, 5)).toEqual(Array(5).fill("rejected E_USAGE"));
    expect(stdout).toContain("the driver could not start (exit status 2): unknown option: --nonsense");
    expect(stdout).toMatch(/E_USAGE\n$/);
    expect(code).toBe(0);
  });

  it("does not keep a program alive, nor end it, when nobody asks why the driver did not start", async () => {
    const { code, stdout } = await startProgram(
      place(),
      `new DisBatcher({ args: ["--nonsense"] }).submit("x"); say("on");`,
    ).finished;
    expect([code, stdout]).toEqual([0, "on\n"]);
  });

  it("says why a run ended early, after it has given what there is", async () => {
    const { stdout } = await startProgram(
      place(),
      `const batcher = new DisBatcher({ args: ["-s", "localhost:1", "-p", "run", "-f", "--grace", "1"] });
for (const line of ["echo a", "exit 9", "sleep 1000"]) batcher.submit(line);
try { for await (const status of batcher.results()) say(status.TaskId, status.ReturnCode); } catch (error) { say(error.code, error.message); }
for (const call of [() => batcher.syncTasks([2]), () => batcher.done(), () => batcher.submit("x")])
  await call().catch((error) => say(error.code));
say((await batcher.syncTasks([1])).size);`,
    ).finished;
    expect(stdout).toMatch(/^0 0\n1 9\nE_RUN_OVER the run has ended: .+fail-fast.+\n(E_RUN_OVER\n){3}1\n$/);
  });

  it("says which directive was wrong", async () => {
    const { stdout } = await startProgram(
      place(),
      `${batcher}
for (const line of ["echo a", "#DISBATCH NONSENSE"]) batcher.submit(line);
await batcher.syncTasks([0]);
await batcher.waitOneTask().catch((error) => say(error.message));`,
    ).finished;
    expect(stdout).toMatch(/^the run has ended: STREAM, line 2: .*NONSENSE/);
  });

  const ends = [
    ["ends by itself", "process.exit(5);", 5],
    ["throws", `throw new Error("mine");`, 1],
    ["is killed", `process.kill(process.pid, "SIGKILL");`, 137],
  ] as const;
  it.each(ends)("stops the driver and its tasks when its program %s", async (_, how, expected) => {
    const program = startProgram(
      place(),
      `${batcher}
batcher.submit("touch started; sleep 1000");
const look = setInterval(async () => {
  if (!(await import("node:fs")).existsSync("started")) return;
  clearInterval(look);
  ${how}
}, 5);`,
    );
    expect((await program.finished).code).toBe(expected);
    // That nothing is left the place itself checks.
    await until("all processes are gone", () => place().processes().length === 0 || place().processes());
    expect(place().rows("run")).toEqual([]);
  });

  it("stops when it is told to", async () => {
    const { stdout } = await startProgram(
      place(),
      `${batcher}
batcher.submit("echo a");
await batcher.waitOneTask();
batcher.submit("sleep 1000");
const waiting = batcher.waitOneTask().catch((error) => say(error.code));
await batcher.stop();
await waiting;
await batcher.done().catch((error) => say(error.message));`,
    ).finished;
    expect(stdout).toMatch(/^E_RUN_OVER\nthe run has ended: .*SIGTERM/);
  });

  it("rejects when the driver is killed", async () => {
    const program = startProgram(
      place(),
      `const batcher = new DisBatcher({ args: ["-s", "localhost:1", "-p", "run", "--lease", "2"] });
batcher.submit("touch started; until [ -e go ]; do sleep 0.01; done");
await Promise.all([batcher.waitOneTask(), batcher.done()].map((each) => each.catch((error) => say(error.message))));
say("over");`,
    );
    await until("the task runs", () => place().files().includes("started"));
    process.kill(place().pidOf("--embedded"), "SIGKILL");
    const { stdout } = await program.finished;
    expect(stdout).toBe(
      `${"the run has ended: the driver ended without a word (SIGKILL)\n".repeat(2)}over\n`,
    );
    // What runs goes on, for a driver that may recover the run.
    place().write("go", "");
  });

  it("waits for its engines no longer than they live", async () => {
    const { stdout } = await startProgram(
      place(),
      `const batcher = new DisBatcher({ args: ["-s", "localhost:1", "-p", "run", "-C", "1"] });
batcher.submit("echo a");
batcher.submit("echo b");
say((await batcher.waitOneTask()).TaskId);
await batcher.waitOneTask().catch((error) => say(error.message));`,
    ).finished;
    expect(stdout).toMatch(/^0\nthe run has ended: No engine is left/);
  });
});

const python = findPython();
const needed = process.env["TASKMUSTER_CLUSTER"] === "required";

describe("the Python example", () => {
  it.skipIf(python !== null || !needed)("is there to be tested: apt-get install python3-redis", () => {
    expect(python, "a python3 that can import redis: apt-get install python3-redis").not.toBeNull();
  });

  describe.skipIf(python === null)("(needs python3-redis: apt-get install python3-redis)", () => {
    const run = (script: string, args = "") => startPython(place(), python ?? "", script, args).finished;

    it("decides by the results of one round what the next one is", async () => {
      const { code, stdout, stderr } = await run("EXAMPLES/minimum.py", "-s localhost:2 -p run");
      expect([stdout, stderr]).toEqual([
        "1.0000\n1.5000\n1.5000\n1.3750\n1.4375\n1.4062\nlast task: 7\n",
        "",
      ]);
      expect(code).toBe(0);
      expect(place().rows("run")).toHaveLength(31);
    });

    it("says what the driver did not like", async () => {
      const { code, stderr } = await run("EXAMPLES/minimum.py", "--nonsense");
      expect(stderr).toContain("RunOver: the driver could not start: unknown option: --nonsense");
      expect(code).toBe(1);
    });

    it("takes directives, hears of a barrier by its key, and of a run that ends early", async () => {
      place().write(
        "program.py",
        `import os
from disbatcher import DisBatcher, RunOver
db = DisBatcher("test", ["-s", "localhost:2", "-p", "run", "-f"], driver=os.environ["DRIVER"])
db.submit("#DISBATCH PREFIX echo ")
db.submit("one\\ntwo")
db.submit("#DISBATCH BARRIER first part")
print(db.kvs.blpop("first part"))
print([(tid, s["TaskStreamIndex"], s["OutData"]) for tid, s in sorted(db.syncTasks([0, 1]).items())])
db.submit("#DISBATCH PREFIX ")
db.submit("exit 4")
try:
    db.syncTasks([3, 4])
except RunOver as over:
    print(over, sorted(db.tid2status))
try:
    db.done()
except RunOver as over:
    print("early")
`,
      );
      const { stdout } = await run("program.py");
      expect(stdout).toMatch(
        /^\('first part', '2'\)\n\[\(0, 2, 'one\\n'\), \(1, 2, 'two\\n'\)\]\n.*fail-fast.* \[0, 1, 3\]\nearly\n$/,
      );
    });

    it("leaves no driver behind when its program does not say done", async () => {
      place().write(
        "program.py",
        `import os, sys
from disbatcher import DisBatcher
db = DisBatcher("test", ["-s", "localhost:1", "-p", "run", "--grace", "1"], driver=os.environ["DRIVER"])
db.submit("echo a")
db.submit("sleep 1000")
db.wait_one_task()
sys.exit(3)
`,
      );
      expect((await run("program.py")).code).toBe(3);
      await until("all processes are gone", () => place().processes().length === 0 || place().processes());
    });
  });
});
