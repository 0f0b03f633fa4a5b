import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Finished, until, usePlace } from "./harness.js";

const place = usePlace();
const dbutil = fileURLToPath(new URL("../../bin/dbutil", import.meta.url));

interface AuditJson {
  readonly exitStatus: number;
  readonly missing: readonly (readonly [number, number])[];
  readonly failed: readonly {
    readonly id: number;
    readonly returnCode: number;
    readonly timedOut: boolean;
  }[];
  readonly retried: readonly {
    readonly id: number;
    readonly attempts: readonly { readonly attempt: number; readonly returnCode: number }[];
  }[];
}

async function audit(prefix: string): Promise<AuditJson> {
  const { stdout } = await place().shell(`'${dbutil}' audit --json ${prefix}`).finished;
  return JSON.parse(stdout) as AuditJson;
}

/** Flags, id and return code of each row, in order of the ids. */
function rows(prefix: string): readonly (readonly [string, string, string])[] {
  return place()
    .rows(prefix)
    .map(([flags = "", id = "", , , , , code = ""]) => [flags, id, code] as const)
    .toSorted(([, a], [, b]) => Number(a) - Number(b));
}

async function json(
  ...args: readonly string[]
): Promise<Finished & { readonly summary: Record<string, unknown> }> {
  const finished = await place().run(["--json", "-q", "-s", "localhost:2", ...args]);
  expect(finished.stderr).toBe("");
  return { ...finished, summary: JSON.parse(finished.stdout) as Record<string, unknown> };
}

/** Fails until it has run so many times; each time leaves a line in `runs.NAME`. */
const succeedsThe = (nth: number, name: string): string =>
  `echo x >>runs.${name}; [ $(wc -l <runs.${name}) -ge ${nth} ]`;

describe("--retries", () => {
  it("runs a task again that failed; its row is that of the last attempt, and the audit tells of those before", async () => {
    const list = [succeedsThe(3, "a"), succeedsThe(4, "b"), "true", "#DISBATCH BARRIER", "cat runs.a"];
    place().write("tasks", `${list.join("\n")}\n`);
    const { code, summary } = await json("-p", "one", "--retries", "2", "--retry-delay", "0.05", "tasks");
    expect(code).toBe(0);
    expect(summary).toMatchObject({ done: 4, failed: 1, retried: 4, lost: 0, left: 0 });
    expect(rows("one")).toEqual([
      ["    ", "0", "0"],
      ["R   ", "1", "1"],
      ["    ", "2", "0"],
      ["B    ", "3", "0"],
      [" O  ", "4", "0"],
    ]);
    // Nothing passed the barrier before the last attempt.
    expect(place().rows("one").at(-1)?.[10]).toBe("6");
    expect(await audit("one")).toMatchObject({
      exitStatus: 0,
      missing: [],
      failed: [{ id: 1, returnCode: 1, timedOut: false }],
      retried: [0, 1].map((id) => ({
        id,
        attempts: [
          { attempt: 1, returnCode: 1 },
          { attempt: 2, returnCode: 1 },
        ],
      })),
    });
    const { stdout } = await place().shell(`'${dbutil}' audit one`).finished;
    expect(stdout).toContain("retried  task 0 (line 1): attempt 1: exit 1, attempt 2: exit 1\n");
  });

  it("leaves the slot free while a task waits, and takes what directives say for the tasks after them", async () => {
    const list = [
      "#DISBATCH RETRIES 1 DELAY 2",
      "[ -e other ]",
      "#DISBATCH RETRIES 0",
      "touch other",
      succeedsThe(2, "b"),
    ];
    place().write("tasks", `${list.join("\n")}\n`);
    const { summary } = await json("-t", "1", "-p", "one", "--retries", "5", "tasks");
    expect(summary).toMatchObject({ done: 3, failed: 1, retried: 1 });
    expect(rows("one").map(([, , returnCode]) => returnCode)).toEqual(["0", "0", "1"]);
  });

  it("a run that is stopped has no row for a task that waits for its retry: -r runs it again", async () => {
    place().write(
      "tasks",
      `[ -e fixed ]\n[ -e fixed ] || { touch up; until [ -e go ]; do sleep 0.02; done; exit 4; }\n`,
    );
    const args = ["-q", "-s", "localhost:2", "--retries", "1", "--retry-delay", "1h"];
    const running = place().start([...args, "-p", "one", "tasks"], { group: true });
    await until("the second runs", () => existsSync(place().path("up")));
    await until("the first has failed", () => place().read("one_ledger").includes('"retries"'));
    process.kill(-running.pid, "SIGINT");
    await until("it drains", () => place().read("one_driver.log").length > 0);
    place().write("go", "");
    expect((await running.finished).code).toBe(130);
    expect(rows("one")).toEqual([]);
    const stopped = await audit("one");
    expect(stopped).toMatchObject({ exitStatus: 3 });
    expect(stopped.retried.map(({ id, attempts }) => [id, attempts[0]?.returnCode])).toEqual([
      [0, 1],
      [1, 4],
    ]);
    place().write("fixed", "");
    expect((await place().run([...args, "-p", "two", "-r", "one_status.txt", "tasks"])).code).toBe(0);
    expect(rows("two")).toEqual([
      ["    ", "0", "0"],
      ["    ", "1", "0"],
    ]);
    expect(await audit("two")).toMatchObject({ exitStatus: 0, retried: [] });
  });
});

describe.each(["perl", "node"])("--timeout, with the %s launcher", (launcher) => {
  it("stops a task's whole tree when its time is up; the row has a flag of its own, and retries apply", async () => {
    const list = [
      "(setsid sleep 300 &) ; sleep 300 & sleep 300",
      "trap '' TERM; while :; do sleep 0.05; done",
      "sleep 0.1",
      "#DISBATCH TIMEOUT NONE",
      "sleep 1.5",
      "#DISBATCH TIMEOUT 1s",
      "#DISBATCH RETRIES 1 DELAY 0",
      "echo x >>runs; [ $(wc -l <runs) -ge 2 ] || sleep 300",
    ];
    place().write("tasks", `${list.join("\n")}\n`);
    const { code, summary } = await json(
      "--launcher",
      launcher,
      "--timeout",
      "0.7",
      "--grace",
      "0.3",
      "-p",
      "one",
      "-e",
      "tasks",
    );
    expect(code).toBe(1);
    expect(place().processes()).toEqual([]);
    expect(rows("one")).toEqual([
      ["R  T", "0", "-15"],
      ["R  T", "1", "-9"],
      ["    ", "2", "0"],
      ["    ", "3", "0"],
      ["    ", "4", "0"],
    ]);
    expect(summary).toMatchObject({ done: 5, failed: 2, retried: 1 });
    expect((summary["failures"] as readonly object[])[0]).toMatchObject({ timedOut: true });
    const found = await audit("one");
    expect(found).toMatchObject({ exitStatus: 0, retried: [{ id: 4, attempts: [{ returnCode: -15 }] }] });
    expect(found.failed.map(({ id, timedOut }) => [id, timedOut])).toEqual([
      [0, true],
      [1, true],
    ]);
    // As it was: a failure, done; or, with -R, to be run again.
    await json("--launcher", launcher, "-p", "two", "-r", "one_status.txt", "tasks");
    expect(rows("two").map(([flags]) => flags)).toEqual(["R  S", "R  S", "   S", "   S", "   S"]);
    place().write("tasks", `${list.map((line) => line.replaceAll("300", "0")).join("\n")}\n`);
    const limits = ["--launcher", launcher, "--timeout", "0.7", "--grace", "0"];
    const again = await json(
      ...limits,
      "-p",
      "three",
      "--force-resume",
      "-R",
      "-r",
      "one_status.txt",
      "tasks",
    );
    expect(again.summary).toMatchObject({ skipped: 3, done: 2 });
  });
});

describe("what is wrong with a list or an option", () => {
  it("is said before anything runs", async () => {
    place().write("tasks", "touch ran\n#DISBATCH TIMEOUT soon\n");
    const refused = await place().run(["-s", "localhost:1", "tasks"]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('tasks, line 2: malformed directive "#DISBATCH TIMEOUT soon"');
    expect(refused.stderr).toContain("90s, 15m, 2h");
    place().write("tasks", "touch ran\n");
    for (const args of [
      ["--timeout", "0"],
      ["--timeout", "soon"],
      ["--retries", "-1"],
      ["--retry-delay", "x"],
      ["--max-losses", "1.5"],
    ]) {
      const { code, stderr } = await place().run(["-s", "localhost:1", ...args, "tasks"]);
      expect(code).toBe(2);
      expect(stderr).toContain(`${args[0]} ${JSON.stringify(args[1])}: must be`);
    }
    expect(existsSync(place().path("ran"))).toBe(false);
  });
});
