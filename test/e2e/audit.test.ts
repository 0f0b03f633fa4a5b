import { appendFileSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Finished, type Running, bin, until, usePlace } from "./harness.js";

const place = usePlace();
const dbutil = bin.replace(/driver$/, "dbutil");

function audit(...args: readonly string[]): Promise<Finished> {
  return place().command(dbutil, ["audit", ...args]).finished;
}

/** What `--json` prints, as far as these tests look at it. */
interface Told {
  readonly exitStatus: number;
  readonly run: { readonly state: string; readonly reason: string | null };
  readonly total: { readonly ids: number; readonly by: string };
  readonly earlier: readonly { readonly path: string; readonly why: string | null }[];
  readonly missing: readonly (readonly [number, number])[];
  readonly succeeded: readonly (readonly [number, number])[];
  readonly failed: readonly { readonly id: number; readonly returnCode: number }[];
  readonly barriers: readonly (readonly [number, number])[];
  readonly begun: readonly { readonly id: number; readonly attempts: readonly { readonly lost: string }[] }[];
  readonly repeated: readonly {
    readonly id: number;
    readonly certain: boolean;
    readonly overlapSeconds: number;
    readonly attempts: readonly { readonly lost: string }[];
  }[];
  readonly runAgain: readonly number[];
  readonly damage: readonly { readonly kind: string }[];
}

async function told(...args: readonly string[]): Promise<Told> {
  const { code, stdout, stderr } = await audit("--json", ...args);
  expect(stderr).toBe("");
  const parsed = JSON.parse(stdout) as Told;
  expect(parsed.exitStatus).toBe(code);
  return parsed;
}

async function run(...args: readonly string[]): Promise<Finished> {
  const finished = await place().run(["-s", "localhost:2", ...args]);
  expect(finished.stderr).toBe("");
  return finished;
}

/** A task that says that it runs, and ends when it may. */
const held = (name: string): string => `touch ${name}; until [ -e go ]; do sleep 0.02; done`;

async function isUp(name: string): Promise<void> {
  await until(`${name} runs`, () => existsSync(place().path(name)));
}

function kill(pid: number | undefined): void {
  if (pid === undefined || pid <= 1) throw new Error(`no process to kill: ${pid ?? "none"}`);
  process.kill(pid, "SIGKILL");
}

describe("dbutil audit", () => {
  it("is content with a run that was worked through, whatever stood in its list", async () => {
    const list = [
      "#DISBATCH PERENGINE START true",
      "true",
      "exit 3",
      "#DISBATCH BARRIER key",
      "printf 'tab\\there \\377\\n'",
      "#DISBATCH REPEAT 3 start 7 echo $DISBATCH_REPEAT_INDEX",
      "echo \u00e9 >&2\t# a tab",
      "kill -9 $$",
    ];
    place().write("tasks", Buffer.concat([Buffer.from(list.join("\n")), Buffer.from([0x20, 0xff, 0x0a])]));
    await run("-p", "one", "--status-header", "tasks");
    const { code, stdout, stderr } = await audit("--list", "tasks", "one_status.txt");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(
      /^8 tasks: 6 ended well, 2 failed; none is known to have run more than once; the file is whole\n/,
    );
    expect(stdout).toContain("task 1 (line 3): exit 3\n");
    expect(stdout).toContain("signal 9 (KILL)\n");
    expect(await told("one")).toMatchObject({
      run: { state: "ended", reason: "finished" },
      total: { ids: 9, by: "ledger" },
      succeeded: [
        [0, 0],
        [3, 7],
      ],
      failed: [
        { id: 1, returnCode: 3 },
        { id: 8, returnCode: -9 },
      ],
      barriers: [[2, 2]],
      damage: [],
    });
    for (const script of ["one_dbUtil.sh audit", "tasks_dbUtil.sh audit --all"]) {
      const said = await place().shell(`exec ./${script}`).finished;
      expect(said).toMatchObject({ code: 0, stderr: "" });
      expect(said.stdout).toMatch(/^8 tasks: 6 ended well, 2 failed; /);
    }
    expect((await audit("tasks_dbUtil.sh")).code).toBe(0);
    place().write("others", "true\ntrue\n");
    const other = await audit("--list", "others", "one");
    expect(other.code).toBe(5);
    expect(other.stdout).toContain("not what the list has\n");
  });

  it("finds what was done to a file afterwards", async () => {
    place().write("tasks", "true\ntrue\ntrue\n");
    await run("-p", "one", "tasks");
    const whole = place().read("one_status.txt");
    const lines = whole.split(/(?<=\n)/);
    const file = place().path("one_status.txt");
    const kinds = async (content: string): Promise<readonly string[]> => {
      writeFileSync(file, content);
      const { exitStatus, damage } = await told("one_status.txt");
      expect(exitStatus).toBe(5);
      return damage.map(({ kind }) => kind);
    };
    expect(await kinds(whole.slice(0, -5))).toContain("torn");
    expect(await kinds(whole + (lines[0] ?? ""))).toContain("secondRows");
    expect(await kinds(lines.slice(1).join(""))).toContain("doneDiffers");
    expect(await kinds(`${lines[0] ?? ""}what is this\n${lines.slice(1).join("")}`)).toContain("badLines");
    expect(await kinds(whole.replace("\t0.0", "\t9999.0"))).toContain("oddRows");
    writeFileSync(file, whole);
    expect((await told("one_status.txt")).exitStatus).toBe(0);
    const twice = await audit(`${writeTwice(whole)}_status.txt`);
    expect(twice.code).toBe(5);
    expect(twice.stdout).toContain("a second row of task 0, the first is line ");
    expect(twice.stdout).toMatch(/next {5}driver -r \S.*\n {9}sed -n '/s);
  });

  it("tells a run that is at work from one whose driver was killed, and what may run twice after that", async () => {
    place().write("tasks", `true\n${held("up1")}\n${held("up2")}\n${held("up3")}\n`);
    const running = place().start(["-q", "-s", "localhost:2", "-p", "one", "tasks"]);
    await isUp("up1");
    await isUp("up2");
    await until("the first has its row", () => place().rows("one").length === 1);
    const atWork = await audit("--list", "tasks", "one");
    expect(atWork.code).toBe(3);
    expect(atWork.stdout).toContain("run      it is still at work");
    expect(atWork.stdout).toContain("next     wait for its end");
    const engine = place().pidOf("engine.js");
    running.kill("SIGKILL");
    await running.finished;
    // A row was being written.
    appendFileSync(place().path("one_status.txt"), "    \t1\t2\t-1\tvm\t1");
    const killed = await told("--list", "tasks", "one");
    expect(killed).toMatchObject({
      exitStatus: 3,
      run: { state: "brokenOff" },
      missing: [[1, 3]],
      damage: [],
    });
    expect((await audit("one")).stdout).toContain("was killed: it has not written how the run ended\n");
    kill(engine);
    await until("all is gone", () => place().processes().length === 0 || place().processes(), 50_000);
    place().write("go", "");
    const resumed = await place().resume("two", "one_status.txt");
    expect(resumed.code).toBe(0);
    const after = await told("two");
    expect(after).toMatchObject({ exitStatus: 4, missing: [], damage: [] });
    expect(after.earlier).toMatchObject([{ path: place().path("one_status.txt"), why: null }]);
    expect(after.repeated.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it("names the tasks that were lost with an engine", async () => {
    place().write("tasks", `${held("up0.$DISBATCH_ENGINE_RANK")}\ntrue\n`);
    const driver = place().start(["-q", "-S", "-p", "one", "tasks"]);
    await until("resources can be added", () => existsSync(place().path("tasks_dbUtil.sh")));
    const first = add("-s localhost:1");
    await isUp("up0.0");
    const second = add("-s localhost:1");
    kill((await engines()).find(({ rank }) => rank === 0)?.pid);
    await isUp("up0.1");
    place().write("go", "");
    await Promise.all([first.finished, second.finished]);
    expect((await driver.finished).code).toBe(0);
    const { code, stdout } = await audit("one");
    expect(code).toBe(4);
    expect(stdout).toContain("2 tasks: 2 ended well; 1 may have run more than once (0); the file is whole\n");
    expect(stdout).toContain("repeated task 0 (line 1): attempt 1 was lost with engine 0");
    expect((await told("one")).repeated).toMatchObject([
      { id: 0, certain: false, overlapSeconds: 0, attempts: [{ lost: "engine" }] },
    ]);
  });

  it("tells of a run that was left without an engine what had begun", async () => {
    place().write("tasks", `${held("up0")}\ntrue\n`);
    const running = place().start(["-q", "-s", "localhost:1", "-p", "one", "tasks"]);
    await isUp("up0");
    kill(place().pidOf("engine.js"));
    expect((await running.finished).code).toBe(1);
    const found = await told("--list", "tasks", "one");
    expect(found).toMatchObject({
      exitStatus: 3,
      run: { reason: "noEngines" },
      missing: [[0, 1]],
      repeated: [],
    });
    expect(found.begun.map(({ id }) => id)).toContain(0);
  });

  it("goes back over the runs that a run goes on from, wherever their files were set aside", async () => {
    place().write("tasks", `[ -e fixed ]\n${held("up1")}\ntrue\n`);
    const running = place().start(["-q", "-s", "localhost:2", "-p", "one", "tasks"], { group: true });
    await isUp("up1");
    await until("two have their rows", () => place().rows("one").length === 2);
    running.kill("SIGTERM");
    expect((await running.finished).code).toBe(143);
    const stopped = await told("--list", "tasks", "one");
    expect(stopped).toMatchObject({
      exitStatus: 3,
      run: { state: "ended", reason: "stopped" },
      missing: [[1, 1]],
      begun: [{ id: 1, attempts: [{ attempt: 1, lost: "stopped", why: "SIGTERM" }] }],
    });
    place().write("go", "");
    place().write("fixed", "");
    const again = await place().resume("one", "one_status.txt", "-R");
    expect(again.code).toBe(0);
    const after = await told("--list", "tasks", "one_status.txt");
    expect(after).toMatchObject({ exitStatus: 4, runAgain: [0], missing: [], damage: [] });
    expect(after.earlier).toMatchObject([{ path: place().path("one_status_1.txt"), why: null }]);
    expect(after.repeated.map(({ id }) => id)).toEqual([1]);
    expect(await told("one_status_1.txt")).toMatchObject({ run: { state: "ended", reason: "stopped" } });
    renameSync(place().path("one_status_1.txt"), place().path("elsewhere"));
    const lost = await audit("one");
    expect(lost.stdout).toContain("one_status_1.txt cannot be looked at (no such file)");
  });

  it("is content with tasks that failed and were run again", async () => {
    place().write("tasks", "[ -e fixed ]\ntrue\n");
    await run("-p", "one", "tasks");
    place().write("fixed", "");
    await run("-p", "two", "-R", "-r", "one_status.txt", "tasks");
    const { code, stdout } = await audit("two");
    expect(code).toBe(0);
    expect(stdout).toContain(
      "2 tasks: 2 ended well (1 in earlier runs); none is known to have run more than once",
    );
    expect(stdout).toContain("again    1 task that had failed in an earlier run ran again (-R)\n");
  });

  it("says what it cannot do, and what it cannot know", async () => {
    place().write("novel", "Call me Ishmael.\n");
    expect(await audit("novel")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `dbutil: ${place().path("novel")} is not a status file: no line of it has the 15 tab-separated columns of one\n`,
    });
    expect(await audit("missing_status.txt")).toMatchObject({ code: 1 });
    expect(await audit()).toMatchObject({ code: 2 });
    expect(await audit("--lst", "x", "novel")).toMatchObject({ code: 2 });
    place().write("tasks", "true\n");
    await run("-p", "one", "tasks");
    expect(await audit("--list", "nowhere", "one")).toMatchObject({ code: 2 });
    renameSync(place().path("one_ledger"), place().path("other_ledger"));
    const without = await audit("one");
    expect(without.code).toBe(3);
    expect(without.stdout).toContain("ledger   there is none");
    place().write("tasks2", "true\n#DISBATCH BARRIER\ntrue\n");
    await run("-p", "other2", "tasks2");
    renameSync(place().path("other_ledger"), place().path("other2_ledger"));
    const foreign = await audit("other2");
    expect(foreign.code).toBe(3);
    expect(foreign.stdout).toContain("is of another run than this file");
  });

  it("stops when nobody reads on", async () => {
    place().write("tasks", "exit 1\n");
    await run("-p", "one", "tasks");
    // More than a pipe holds.
    const row = place().read("one_status.txt");
    const rows = Array.from({ length: 5000 }, (_, id) => row.replace("\t0\t1\t", `\t${id}\t1\t`));
    place().write("one_status.txt", rows.join(""));
    const { stdout } = await place().shell(
      `'${dbutil}' audit --all one | head -n 1; echo "\${PIPESTATUS[@]}"`,
    ).finished;
    expect(stdout).toMatch(/^[\d,]+ tasks?: 0 ended well, 5,000 failed; .* the file is DAMAGED\n5 0\n$/);
  });
});

/** A file that holds the rows of a run twice; answers its prefix. */
function writeTwice(rows: string): string {
  place().write("twice_status.txt", rows + rows);
  return "twice";
}

function add(args: string): Running {
  return place().shell(`./tasks_dbUtil.sh ${args}`);
}

async function engines(): Promise<readonly { readonly rank: number; readonly pid: number }[]> {
  const { stdout } = await place().shell(`'${dbutil}' status --json one`).finished;
  return (JSON.parse(stdout) as { engines: { rank: number; pid: number }[] }).engines;
}
