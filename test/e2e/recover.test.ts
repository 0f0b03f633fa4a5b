import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Finished, type Place, type Running, bin, until, usePlace } from "./harness.js";
import { freePort, redisServerOn } from "./redis-server.js";

const place = usePlace();
const dbutil = bin.replace(/driver$/, "dbutil");

/** Tasks leave a line when they begin and when they end. */
const noted = (work: string): string =>
  `echo "+ $DISBATCH_TASKID" >> journal; ${work}; echo "- $DISBATCH_TASKID" >> journal`;
const held = noted("until [ -e go ]; do sleep 0.02; done");
const short = noted("sleep 0.1");

/** Ids 0..7, barrier 8, repeats 9..16, BARRIER CHECK 17, 18..22, barrier 23, 24..26. */
const list = [
  ...Array.from({ length: 8 }, () => short),
  "#DISBATCH BARRIER",
  `#DISBATCH REPEAT 8 ${short}`,
  "#DISBATCH BARRIER CHECK",
  ...Array.from({ length: 5 }, () => short),
  "#DISBATCH BARRIER",
  ...Array.from({ length: 3 }, () => short),
].join("\n");
const ids = Array.from({ length: 27 }, (_, id) => id);
const barriers = [8, 17, 23];

function journal(): readonly string[] {
  return existsSync(place().path("journal")) ? place().read("journal").trimEnd().split("\n") : [];
}

/** How often each task began, where that was not once. */
function begunOften(): Readonly<Record<string, number>> {
  const count = new Map<string, number>();
  for (const line of journal()) if (line.startsWith("+")) count.set(line, (count.get(line) ?? 0) + 1);
  return Object.fromEntries([...count].filter(([, times]) => times !== 1));
}

function rowIds(prefix = "one"): readonly number[] {
  return place()
    .rows(prefix)
    .filter(([flags]) => flags?.[3] !== "P" && flags?.[3] !== "Z")
    .map((row) => Number(row[1]))
    .toSorted((a, b) => a - b);
}

/** Nothing after a barrier begins before all before it has ended. */
function expectBarriersHeld(): void {
  for (const barrier of barriers) {
    const lines = journal().map((line) => ({ begins: line.startsWith("+"), id: Number(line.slice(2)) }));
    const firstAfter = lines.findIndex(({ begins, id }) => begins && id > barrier);
    expect(firstAfter).toBeGreaterThan(0);
    expect(lines.slice(firstAfter).filter(({ id }) => id < barrier)).toEqual([]);
  }
}

async function rowsWritten(count: number, prefix = "one"): Promise<void> {
  const file = place().path(`${prefix}_status.txt`);
  await until(`${count} rows are written`, () => {
    const rows = existsSync(file) ? readFileSync(file, "latin1").split("\n").length - 1 : 0;
    return rows >= count ? true : rows;
  });
}

async function begun(count: number): Promise<void> {
  await until(`${count} tasks have begun`, () => {
    const lines = journal().filter((line) => line.startsWith("+")).length;
    return lines >= count ? true : lines;
  });
}

async function die(running: Running): Promise<void> {
  running.kill("SIGKILL");
  await running.finished;
}

/** Whoever ends meanwhile, or with another one, is as dead. */
function killIfThere(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function killAll(where: Place): void {
  for (const { pid } of where.processes()) killIfThere(pid);
}

/** Whichever life of it there is. */
async function killRedis(): Promise<void> {
  const pid = place().pidOf("redis-server");
  process.kill(pid, "SIGKILL");
  await until("it is dead", () =>
    place()
      .processes()
      .every((each) => each.pid !== pid),
  );
}

async function allGone(): Promise<void> {
  await until("all is gone", () => place().processes().length === 0 || place().processes());
}

function start(...args: readonly string[]): Running {
  return place().start(["-s", "localhost:4", "-p", "one", ...args, "tasks"]);
}

function recover(...args: readonly string[]): Promise<Finished> {
  return place().run(["--recover", "one", ...args]);
}

describe("driver --recover", () => {
  it.each([1, 6, 14, 20, 24])(
    "goes on with a run whose driver was killed after %i rows, beside its engine",
    async (rows) => {
      place().write("tasks", list);
      const running = start();
      await rowsWritten(rows);
      await die(running);
      const { code, stderr, stdout } = await recover();
      expect([code, stderr], stdout).toEqual([0, expect.stringContaining("go on")]);
      expect(rowIds()).toEqual(ids);
      expect(begunOften()).toEqual({});
      expectBarriersHeld();
      expect(stdout).toContain("24 done");
      const ledger = place().read("one_ledger");
      expect(ledger.match(/"kind":"epoch"/g)).toHaveLength(2);
      expect(ledger).not.toContain("lost");
      expect((await place().command(dbutil, ["audit", "--list", "tasks", "one"]).finished).code).toBe(0);
      expect(place().files()).not.toContain("one_kvsinfo.txt");
    },
  );

  it("goes on when the driver that recovers is killed as well, however often", async () => {
    place().write("tasks", list);
    await (async () => {
      const running = start();
      await rowsWritten(3);
      await die(running);
    })();
    for (const rows of [8, 13, 20]) {
      const running = place().start(["--recover", "one"]);
      await rowsWritten(rows);
      await die(running);
    }
    expect((await recover()).code).toBe(0);
    expect(rowIds()).toEqual(ids);
    expect(begunOften()).toEqual({});
    expectBarriersHeld();
    expect(
      place()
        .read("one_ledger")
        .match(/"kind":"epoch"/g),
    ).toHaveLength(5);
  });

  it("writes down what ended while no driver was there, and runs it no more", async () => {
    place().write("tasks", Array.from({ length: 4 }, () => held).join("\n"));
    const running = start();
    await begun(4);
    await die(running);
    place().write("go", "");
    await until("they have ended", () => journal().length === 8);
    const { code, stderr } = await recover();
    expect([code, rowIds(), begunOften()]).toEqual([0, [0, 1, 2, 3], {}]);
    expect(stderr).toContain("0 task(s) had ended; 4 result(s) were waiting");
  });

  it("fences a driver off that was only stopped: it says so, touches nothing, and fails", async () => {
    place().write("tasks", [short, ...Array.from({ length: 6 }, () => held)].join("\n"));
    const old = start();
    await rowsWritten(1);
    await begun(5);
    old.kill("SIGSTOP");
    const running = place().start(["--recover", "one"]);
    await until("it has taken over", () => running.stderr.includes("were waiting") || running.stderr);
    expect(running.stderr).toContain(`the driver of before is stopped, not dead (process ${old.pid})`);
    old.kill("SIGCONT");
    const ended = await old.finished;
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("Another driver has taken this run over");
    expect(ended.stdout).not.toContain("To go on:");
    // Engine and store are still there, and so is all that tells of them.
    expect(place().files()).toContain("one_kvsinfo.txt");
    place().pidOf("redis-server");
    place().pidOf("engine.js");
    place().write("go", "");
    expect((await running.finished).code).toBe(0);
    expect([rowIds(), begunOften()]).toEqual([[0, 1, 2, 3, 4, 5, 6], {}]);
    expect(
      place()
        .read("one_ledger")
        .match(/"kind":"end"/g),
    ).toHaveLength(1);
    expect(place().read("one_ledger").trimEnd()).toMatch(/"kind":"end".*"reason":"finished"[^\n]*$/);
  });

  it("a driver that was stopped until all was over finds that out, and writes nothing", async () => {
    place().write("tasks", Array.from({ length: 3 }, () => held).join("\n"));
    const old = start();
    await begun(3);
    old.kill("SIGSTOP");
    place().write("go", "");
    expect((await recover()).code).toBe(0);
    const [status, ledger] = [place().read("one_status.txt"), place().read("one_ledger")];
    old.kill("SIGCONT");
    const ended = await old.finished;
    expect([ended.code, ended.stdout]).toEqual([
      1,
      expect.stringContaining("Another driver has taken this run over"),
    ]);
    expect([place().read("one_status.txt"), place().read("one_ledger")]).toEqual([status, ledger]);
    expect(rowIds()).toEqual([0, 1, 2]);
  });

  it("starts again at once when all was killed on its only host, and never runs what has a row", async () => {
    place().write("tasks", [short, short, ...Array.from({ length: 3 }, () => held), short].join("\n"));
    start();
    await rowsWritten(2);
    await begun(5);
    killAll(place());
    await allGone();
    place().write("go", "");
    const { code, stderr } = await recover();
    expect([code, rowIds()]).toEqual([0, [0, 1, 2, 3, 4, 5]]);
    expect(stderr).toContain("the key-value store of before is gone");
    expect(stderr).not.toContain("Nothing is run for");
    // Those that were running, and perhaps the last one.
    const often = Object.keys(begunOften()).filter((line) => line !== "+ 5");
    expect(often.toSorted()).toEqual(["+ 2", "+ 3", "+ 4"]);
    const audit = await place().command(dbutil, ["audit", "one"]).finished;
    expect(audit.code).toBe(4);
    expect(audit.stdout).toContain("may have begun when the store was lost");
  });

  it("does not wait for a run with the same name in another directory", async () => {
    place().write("tasks", held);
    mkdirSync(place().path("other"));
    writeFileSync(place().path("other/tasks"), "until [ -e ../go ]; do sleep 0.02; touch ../up; done\n");
    const other = place().shell(`cd other && exec '${bin}' -s localhost:1 -p one tasks`);
    await until("the other one runs", () => place().files().includes("up") || other.stderr);
    const others = new Set(
      place()
        .processes()
        .map(({ pid }) => pid),
    );
    const running = start("--lease", "60");
    await begun(1);
    for (const { pid } of place().processes()) {
      if (pid > 1 && !others.has(pid)) killIfThere(pid);
    }
    await running.finished;
    const recovering = place().start(["--recover", "one"]);
    await until("it has begun anew", () => begunOften()["+ 0"] === 2 || recovering.stderr);
    expect(recovering.stderr).not.toContain("Nothing is run for");
    place().write("go", "");
    expect([(await recovering.finished).code, (await other.finished).code]).toEqual([0, 0]);
  });

  it("leaves a row out that was cut off, and says so", async () => {
    place().write("tasks", [short, held, short].join("\n"));
    start();
    await begun(3);
    await rowsWritten(2);
    killAll(place());
    await allGone();
    const whole = place().read("one_status.txt");
    appendFileSync(place().path("one_status.txt"), "    \t1\t2\t-1\tvm\t1");
    place().write("go", "");
    const { code, stderr } = await recover();
    expect(code).toBe(0);
    expect(stderr).toContain("one_status.txt: the last row was cut off, and is left out");
    expect(rowIds()).toEqual([0, 1, 2]);
    expect(place().read("one_status.txt").startsWith(whole)).toBe(true);
  });

  it("waits for what may still run when the store is gone and its engine is not", async () => {
    place().write("tasks", [noted("sleep 300"), short].join("\n"));
    const running = start("--lease", "4", "--grace", "0.2");
    await rowsWritten(1);
    const redis = place().pidOf("redis-server");
    running.kill("SIGSTOP");
    process.kill(redis, "SIGKILL");
    await die(running);
    const engine = place().pidOf("engine.js");
    const recovering = place().start(["--recover", "one"]);
    await until(
      "it says that it waits",
      () => recovering.stderr.includes("Nothing is run for 4 s") || recovering.stderr,
    );
    expect(recovering.stderr).toContain(String(engine));
    await until(
      "it has begun again",
      () => journal().filter((line) => line === "+ 0").length === 2 || journal(),
    );
    // Not before the first one was dead.
    expect(
      place()
        .processes()
        .filter(({ name }) => name === "sleep 300"),
    ).toHaveLength(1);
    expect(recovering.stderr).toContain("going on: nothing of before can run any more");
    process.kill(engine, "SIGKILL");
    recovering.kill("SIGTERM");
    expect((await recovering.finished).code).toBe(143);
    expect(rowIds()).toEqual([1]);
  });

  it("starts the store that it has taken over again when that dies, beside the engine of before", async () => {
    place().write("tasks", list);
    const running = start("--lease", "5");
    await rowsWritten(2);
    await die(running);
    const recovering = place().start(["--recover", "one"]);
    await until("it has taken over", () => recovering.stderr.includes("were waiting") || recovering.stderr);
    for (const rows of [9, 19]) {
      await rowsWritten(rows);
      await killRedis();
    }
    const { code, stderr } = await recovering.finished;
    expect([code, rowIds(), begunOften()], stderr).toEqual([0, ids, {}]);
    expect(stderr.match(/the private Redis server died .* is started again/g)).toHaveLength(2);
    expectBarriersHeld();
    expect(place().files()).not.toContain("one_kvsinfo.txt");
  });

  it("starts a store of its own again, too", async () => {
    place().write("tasks", list);
    start();
    await rowsWritten(2);
    killAll(place());
    await allGone();
    const recovering = place().start(["--recover", "one"]);
    await rowsWritten(9);
    await killRedis();
    const { code, stderr } = await recovering.finished;
    expect([code, rowIds()], stderr).toEqual([0, ids]);
    expect(stderr).toContain("the private Redis server died (SIGKILL) and is started again");
  });

  it("a driver that was only stopped does not start the store again that another one has", async () => {
    place().write("tasks", [short, ...Array.from({ length: 6 }, () => held)].join("\n"));
    const old = start("--lease", "30");
    await rowsWritten(1);
    await begun(5);
    old.kill("SIGSTOP");
    const recovering = place().start(["--recover", "one"]);
    await until("it has taken over", () => recovering.stderr.includes("were waiting") || recovering.stderr);
    await killRedis();
    await until("the other one started it again", () => place().pidOf("redis-server") > 1);
    old.kill("SIGCONT");
    const ended = await old.finished;
    expect([ended.code, ended.stdout]).toEqual([
      1,
      expect.stringContaining("Another driver has taken this run over"),
    ]);
    expect(ended.stderr).not.toContain("is started again");
    place().write("go", "");
    expect((await recovering.finished).code).toBe(0);
    expect([rowIds(), begunOften()]).toEqual([[0, 1, 2, 3, 4, 5, 6], {}]);
  });

  it("does not wait for ever for a store that dies while the run is taken over, and can be tried again", async () => {
    place().write("tasks", [short, held].join("\n"));
    const running = start("--lease", "5");
    await rowsWritten(1);
    await die(running);
    const ledger = place().read("one_ledger");
    // A driver of another host is watched for a while, by its beat in the store.
    const elsewhere = ledger.replace(/("kind":"epoch".*?"host":")[^"]*/, "$1elsewhere");
    place().write("one_ledger", elsewhere);
    const recovering = place().start(["--recover", "one"]);
    await until("it looks around", () => recovering.stderr.includes("looking whether") || recovering.stderr);
    await killRedis();
    const { code, stderr } = await recovering.finished;
    expect([code, stderr]).toEqual([1, expect.stringContaining("went away while the run was taken over")]);
    place().write("one_ledger", ledger);
    place().write("go", "");
    expect((await recover()).code).toBe(0);
    expect(rowIds()).toEqual([0, 1]);
  });

  it("says that it can be tried again when somebody else's store forgets while the run is taken over", async () => {
    place().write("tasks", [short, held].join("\n"));
    const port = await freePort();
    let server = await redisServerOn(port);
    try {
      const running = start("--lease", "3", "--kvsserver", `127.0.0.1:${port}`);
      await begun(2);
      await die(running);
      const ledger = place().read("one_ledger");
      place().write("one_ledger", ledger.replace(/("kind":"epoch".*?"host":")[^"]*/, "$1elsewhere"));
      const recovering = place().start(["--recover", "one"]);
      await until(
        "it looks around",
        () => recovering.stderr.includes("looking whether") || recovering.stderr,
      );
      await server.stop();
      server = await redisServerOn(port);
      const first = await recovering.finished;
      expect([first.code, first.stderr]).toEqual([
        1,
        expect.stringMatching(
          /went away while the run was taken over. It can be tried again: driver --recover /,
        ),
      ]);
      place().write("one_ledger", ledger);
      place().write("go", "");
      const { code } = await recover();
      expect([code, rowIds()]).toEqual([0, [0, 1]]);
    } finally {
      await server.stop();
    }
  });

  it("goes on with what had been read of a stream", async () => {
    const running = place().start(["-s", "localhost:2", "-p", "one", "-"]);
    running.child.stdin?.write(`${short}\n${held}\n${short}\n${short.slice(0, 20)}`);
    await begun(3);
    await die(running);
    running.child.stdin?.end();
    place().write("go", "");
    const { code, stderr } = await recover();
    expect([code, rowIds(), begunOften()]).toEqual([0, [0, 1, 2], {}]);
    expect(stderr).toContain("the list was a stream: what had been read of it is in ");
  });

  it("refuses what it cannot go on with, and says what is wrong", async () => {
    place().write("tasks", `${held}\n${short}\n`);
    const running = start();
    await begun(2);
    const alive = await recover();
    expect([alive.code, alive.stderr]).toEqual([
      2,
      expect.stringContaining(`is at work: process ${running.pid} on this host`),
    ]);
    await die(running);
    const file = await recover("tasks");
    expect([file.code, file.stderr]).toEqual([2, expect.stringContaining("tasks cannot go with it")]);
    const option = await recover("--lease", "5");
    expect([option.code, option.stderr]).toEqual([
      2,
      expect.stringContaining("--lease cannot be given anew"),
    ]);
    const none = await place().run(["--recover", "nobody"]);
    expect([none.code, none.stderr]).toEqual([2, expect.stringContaining("there is no run ")]);
    writeFileSync(place().path("tasks"), `${held}\n${short}\n# a word more\n`);
    const changed = await recover();
    expect([changed.code, changed.stderr]).toEqual([
      2,
      expect.stringContaining("is not what it was when the run began"),
    ]);
    writeFileSync(place().path("tasks"), `${held}\n${short}\n`);
    const again = await place().run(["-s", "localhost:1", "-p", "one", "tasks"]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("driver --recover ")]);
    place().write("go", "");
    const done = await place().run(["--recover", "one_status.txt", "--max-losses", "7"]);
    expect([done.code, done.stderr]).toEqual([
      0,
      expect.stringContaining("other than before: --max-losses 7 (before: not given)"),
    ]);
    const over = await recover();
    expect([over.code, over.stderr]).toEqual([
      2,
      expect.stringContaining("has ended (finished, 2 tasks done)"),
    ]);
    expect([rowIds(), begunOften()]).toEqual([[0, 1], {}]);
  });

  it("a new run of the same list names the one whose driver is dead", async () => {
    place().write("tasks", held);
    const running = start();
    await begun(1);
    await die(running);
    place().write("go", "");
    const other = await place().run(["-s", "localhost:1", "-p", "two", "tasks"]);
    expect(other.code).toBe(0);
    expect(other.stderr).toContain(
      "an earlier run of this list did not end, and its driver is dead. To go on with that one: driver --recover ",
    );
    expect((await recover()).code).toBe(0);
  });
});
