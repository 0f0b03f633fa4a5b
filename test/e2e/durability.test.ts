import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { FailingDisk, canFail, useLibrary } from "./failing-disk/failing-disk.js";
import { type Finished, type Running, bin, until, usePlace } from "./harness.js";
import { SmallDisk, canMount } from "./small-disk.js";

const place = usePlace();
const dbutil = bin.replace(/driver$/, "dbutil");

/** So many tasks, each of which leaves its number behind; the first waits until it may go on. */
function writeList(count: number): void {
  const leave = "echo $DISBATCH_TASKID >> ran";
  place().write(
    "tasks",
    `touch up; until [ -e go ]; do sleep 0.02; done; ${leave}\n`.concat(`${leave}\n`.repeat(count - 1)),
  );
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  return place().start(["-s", "localhost:1", ...args, "tasks"], { env });
}

async function isUp(): Promise<void> {
  await until("the first task runs", () => existsSync(place().path("up")));
}

function letGo(): void {
  place().write("go", "");
}

/** Numbers of tasks that have run, as they left them. */
function ran(): readonly number[] {
  return existsSync(place().path("ran")) ? place().read("ran").trim().split("\n").map(Number) : [];
}

/** Ids in the order of the rows; whatever is not a whole row fails the test. */
function recorded(file: string): readonly number[] {
  const text = readFileSync(place().path(file), "utf8");
  expect(text === "" || text.endsWith("\n")).toBe(true);
  const rows = text
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\t"));
  for (const row of rows) expect(row, row.join("|")).toHaveLength(15);
  return rows.map((row) => Number(row[1]));
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, id) => id);
}

function sorted(ids: readonly number[]): readonly number[] {
  return ids.toSorted((a, b) => a - b);
}

function command(...args: readonly string[]): Promise<Finished> {
  return place().command(dbutil, args).finished;
}

async function says(running: Running, words: string | RegExp): Promise<void> {
  await until(`it says ${String(words)}`, () =>
    (typeof words === "string" ? running.stderr.includes(words) : words.test(running.stderr))
      ? true
      : running.stderr,
  );
}

function timesSaid(text: string, words: string): number {
  return text.split(words).length - 1;
}

/** What was claimed has been worked through, and nobody may claim more. */
async function standsStill(prefix: string): Promise<void> {
  await until("all that was claimed has run", async () => {
    const { stdout } = await command("status", "--json", prefix);
    const { wanted, engines } = JSON.parse(stdout) as {
      readonly wanted: string;
      readonly engines: readonly { readonly claims: number }[];
    };
    return wanted === "hold" && engines.every(({ claims }) => claims === 0) ? true : stdout;
  });
}

describe.skipIf(!canMount())("a run on a disk that gets full (needs root, to mount one)", () => {
  let disk: SmallDisk | null = null;

  function makeDisk(): SmallDisk {
    disk = new SmallDisk(place().path("disk"));
    return disk;
  }

  afterEach(() => {
    disk?.unmount();
    disk = null;
  });

  /** Until all that was handed out has ended, and none of it could be written. */
  async function runUntilFull(full: SmallDisk, count: number): Promise<Running> {
    writeList(count);
    const running = start(["-p", "disk/one"]);
    await isUp();
    full.fill();
    letGo();
    await says(running, "no space left on the device");
    await standsStill("disk/one");
    return running;
  }

  it("starts nothing new, says so once, and goes on when there is room", async () => {
    const full = makeDisk();
    const running = await runUntilFull(full, 1000);
    const before = ran().length;
    expect(before).toBeLessThan(200);
    expect(recorded("disk/one_status.txt")).toEqual([]);
    const status = await command("status", "disk/one");
    expect(status.stdout).toMatch(/^waiting {2}cannot write the status file .*no space left on the device$/m);
    full.makeRoom();
    const { code, stderr, stdout } = await running.finished;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("1000 done");
    expect(timesSaid(stderr, "What runs goes on and its results wait")).toBe(1);
    expect(stderr).toMatch(/the status file .* can be written again, after \d+ s: the run goes on/);
    expect(sorted(recorded("disk/one_status.txt"))).toEqual(upTo(1000));
    expect(sorted(ran())).toEqual(upTo(1000));
    expect(await command("audit", "--list", "tasks", "disk/one")).toMatchObject({ code: 0 });
  });

  it("ends when it is stopped meanwhile, tells what is not recorded, and a resume runs that again", async () => {
    const full = makeDisk();
    const running = await runUntilFull(full, 200);
    const lost = ran().length;
    running.kill("SIGINT");
    await says(running, "Press it again to stop");
    running.kill("SIGINT");
    const { code, stdout } = await running.finished;
    expect(code).toBe(130);
    expect(stdout).toMatch(
      new RegExp(`^NOT RECORDED ${lost} tasks that ended: the status file could not be written`, "m"),
    );
    expect(stdout).toContain("To go on: ");
    expect(place().processes()).toEqual([]);
    expect(recorded("disk/one_status.txt")).toEqual([]);
    full.makeRoom();
    const resumed = await place().resume("two", "disk/one_status.txt");
    expect(resumed.code).toBe(0);
    expect(sorted(recorded("two_status.txt"))).toEqual(upTo(200));
    expect(ran().length).toBe(200 + lost);
  });

  it("does not die of its log", async () => {
    const full = makeDisk();
    writeList(20);
    // Only these are on the full disk: the rows find room.
    const running = start(["-p", "one", "--logfile", "disk/log"]);
    await isUp();
    full.fill();
    letGo();
    const { code, stderr } = await running.finished;
    expect(code, stderr).toBe(0);
    expect(sorted(recorded("one_status.txt"))).toEqual(upTo(20));
  });
});

describe.skipIf(!canFail())("a run whose disk fails (needs a C compiler)", () => {
  const library = useLibrary();

  for (const [what, rules, reason] of [
    [
      "a sync fails, and with it all that was written since the last",
      ["sync EIO _status.txt"],
      "input/output error",
    ],
    ["writes are cut short and fail", ["write EDQUOT _status.txt"], "the disk quota is exceeded"],
    [
      "a half-written row cannot even be cut off",
      ["write EIO _status.txt", "truncate EIO _status.txt"],
      "input/output error",
    ],
  ] as const) {
    it(`writes the same rows again when ${what}`, async () => {
      const disk = new FailingDisk(place(), library());
      writeList(300);
      const running = start(["-q", "-p", "one"], disk.env);
      await isUp();
      disk.rule(...rules);
      letGo();
      await says(running, reason);
      await until("it has tried again", () => disk.failures >= 5);
      disk.rule();
      const { code, stderr } = await running.finished;
      expect(code, stderr).toBe(0);
      expect(sorted(recorded("one_status.txt"))).toEqual(upTo(300));
      expect(sorted(ran())).toEqual(upTo(300));
      expect(await command("audit", "--list", "tasks", "one")).toMatchObject({ code: 0 });
    });
  }

  it("names in its ledger what is not recorded when it is stopped", async () => {
    const disk = new FailingDisk(place(), library());
    writeList(5);
    const running = start(["-p", "one"], disk.env);
    await isUp();
    disk.rule("sync EIO _status.txt");
    letGo();
    await says(running, "input/output error");
    await standsStill("one");
    running.kill("SIGTERM");
    const { code, stdout } = await running.finished;
    expect(code).toBe(143);
    expect(stdout).toContain("NOT RECORDED 5 tasks that ended");
    const audit = await command("audit", "one");
    expect(audit.code).toBe(3);
    expect(audit.stdout).toContain(
      "5 have no row (0-4); none is known to have run more than once; the file is whole",
    );
    expect(audit.stdout).toMatch(
      /task 4 ended, and its row could not be written \(cannot write the status file .*: input\/output error\)/,
    );
    const resumed = await place().resume("two", "one_status.txt");
    expect(resumed.code).toBe(0);
    const after = await command("audit", "two");
    expect(after.code).toBe(4);
    expect(after.stdout).toContain("5 may have run more than once (0-4)");
  });

  it("does not wait for a disk that never answers, once it is stopped", async () => {
    const disk = new FailingDisk(place(), library());
    writeList(50);
    const running = start(["-p", "one"], disk.env);
    await isUp();
    disk.rule("hang EIO _status.txt");
    letGo();
    await until("a sync hangs", () => disk.count("sync hangs one_status.txt") > 0);
    running.kill("SIGTERM");
    running.kill("SIGINT");
    await until(
      "it has said what is not recorded",
      () => running.stdout.includes("NOT RECORDED") || running.stdout,
    );
    disk.rule();
    expect((await running.finished).code).toBe(143);
  });

  it("ends when the file that it writes is gone, or another one", async () => {
    for (const [prefix, words, act] of [
      ["one", "has been removed, or moved elsewhere", (path: string) => rmSync(path)],
      [
        "two",
        "has been replaced by another file",
        (path: string) => renameSync(place().write("other", ""), path),
      ],
    ] as const) {
      rmSync(place().path("up"), { force: true });
      rmSync(place().path("go"), { force: true });
      writeList(3);
      const running = start(["-p", prefix]);
      await isUp();
      act(place().path(`${prefix}_status.txt`));
      letGo();
      const { code, stdout } = await running.finished;
      expect(code).toBe(1);
      expect(stdout).toContain(words);
    }
  });

  it("leaves half a row when it is killed then, which a resume and an audit know for what it is", async () => {
    const disk = new FailingDisk(place(), library());
    writeList(30);
    const running = start(["-p", "one"], disk.env);
    await isUp();
    disk.rule("write EIO _status.txt", "truncate EIO _status.txt");
    letGo();
    await until("half of it is written", () => disk.count("write failed one_status.txt") > 0);
    running.kill("SIGKILL");
    await running.finished;
    const torn = place().read("one_status.txt");
    expect(torn === "" || torn.endsWith("\n")).toBe(false);
    const engine = place().pidOf("engine.js");
    if (engine > 1) process.kill(engine, "SIGKILL");
    await until("all is gone", () => place().processes().length === 0 || place().processes(), 50_000);
    const audit = await command("audit", "--list", "tasks", "one");
    expect(audit.code).toBe(3);
    expect(audit.stdout).toContain("the file is whole but for its last line, which is torn");
    const resumed = await place().run(["-s", "localhost:2", "-p", "two", "-r", "one_status.txt", "tasks"]);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(resumed.stderr).toContain("the last line is torn (no line end) and was passed over");
    expect(sorted(recorded("two_status.txt"))).toEqual(upTo(30));
  });

  it("writes what the ledger is told later, and goes on meanwhile", async () => {
    const disk = new FailingDisk(place(), library());
    place().write("tasks", "touch up$DISBATCH_ENGINE_RANK; until [ -e go ]; do sleep 0.02; done\n");
    const driver = place().start(["-S", "-p", "one", "tasks"], { env: disk.env });
    await until("resources can be added", () => existsSync(place().path("tasks_dbUtil.sh")));
    const add = (): Running => place().shell("exec ./tasks_dbUtil.sh -s localhost:1");
    const first = add();
    await until("it runs", () => existsSync(place().path("up0")));
    const engine = place().pidOf("engine.js");
    const second = add();
    await until("another one is there", async () =>
      (await command("status", "one")).stdout.includes("engine   1"),
    );
    disk.rule("write EIO _ledger", "truncate EIO _ledger");
    if (engine > 1) process.kill(engine, "SIGKILL");
    await until("it runs again", () => existsSync(place().path("up1")));
    await says(driver, "Its entries are kept, and written later");
    expect(place().read("one_ledger")).not.toMatch(/"kind":"lostEngine".*\n/);
    disk.rule();
    await until("the entry is there", () => /"kind":"lostEngine".*\n/.test(place().read("one_ledger")));
    letGo();
    expect((await driver.finished).code).toBe(0);
    await Promise.all([first.finished, second.finished]);
    const { code, stdout } = await command("audit", "one");
    expect(code).toBe(4);
    expect(stdout).toContain("attempt 1 was lost with engine 0 on ");
    expect(stdout).not.toContain("cannot be read");
  });

  it("syncs rows before results count as told, unless it shall not", async () => {
    const disk = new FailingDisk(place(), library());
    place().write("tasks", "true\n".repeat(20));
    const safe = await place().run(["-q", "-s", "localhost:1", "-p", "one", "tasks"], { env: disk.env });
    expect(safe.code).toBe(0);
    expect(disk.count("sync done one_status.txt")).toBeGreaterThan(0);
    const quick = await place().run(["-q", "-s", "localhost:1", "-p", "two", "--no-fsync", "tasks"], {
      env: disk.env,
    });
    expect(quick.code).toBe(0);
    expect(disk.count("write done two_status.txt")).toBeGreaterThan(0);
    expect(disk.count("sync done two_status.txt")).toBe(0);
    expect(sorted(recorded(join("two_status.txt")))).toEqual(upTo(20));
  });
});
