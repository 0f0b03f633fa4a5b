import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Running, until, usePlace } from "./harness.js";

const place = usePlace();
const dbutil = fileURLToPath(new URL("../../bin/dbutil", import.meta.url));

function add(slots: number): Running {
  return place().shell(`./tasks_dbUtil.sh -s localhost:${slots}`);
}

async function engines(): Promise<readonly { readonly rank: number; readonly pid: number }[]> {
  const { stdout } = await place().shell(`'${dbutil}' status --json one`).finished;
  return (JSON.parse(stdout) as { engines: { rank: number; pid: number }[] }).engines;
}

async function killEngine(rank: number): Promise<void> {
  const pid = (await engines()).find((each) => each.rank === rank)?.pid;
  if (pid === undefined || pid <= 1) throw new Error(`no engine ${rank}`);
  process.kill(pid, "SIGKILL");
}

describe("--max-losses", () => {
  it("runs what was lost with its engine elsewhere; a task that is lost each time is given up, and nothing else", async () => {
    const tasks = ["poison", "two", "three"].map(
      (name) => `touch ${name}.$DISBATCH_ENGINE_RANK; until [ -e go.${name} ]; do sleep 0.02; done`,
    );
    place().write("tasks", `${tasks.join("\n")}\n`);
    const driver = place().start(["-q", "-S", "-p", "one", "--max-losses", "2", "--retries", "1", "tasks"]);
    await until("resources can be added", () => existsSync(place().path("tasks_dbUtil.sh")));
    const isUp = (name: string, rank: number): Promise<unknown> =>
      until(`${name} runs on engine ${rank}`, () => existsSync(place().path(`${name}.${rank}`)));
    const contexts: Running[] = [];
    for (let rank = 0; rank < 2; rank++) {
      contexts.push(add(3));
      for (const name of ["poison", "two", "three"]) await isUp(name, rank);
      await killEngine(rank);
    }
    // It has its last chance, alone.
    contexts.push(add(3));
    await isUp("poison", 2);
    expect(existsSync(place().path("two.2"))).toBe(false);
    await killEngine(2);
    await until("it is given up", () => place().rows("one").length === 1);
    place().write("go.two", "");
    place().write("go.three", "");
    contexts.push(add(3));
    expect((await driver.finished).code).toBe(0);
    await Promise.all(contexts.map(({ finished }) => finished));
    const rows = place().rows("one");
    expect(rows.map(([flags, id, , , , pid, code]) => [flags, id, pid === "-1", code])).toEqual([
      ["R   ", "0", true, "-100"],
      ["    ", "1", false, "0"],
      ["    ", "2", false, "0"],
    ]);
    const { stdout } = await place().shell(`'${dbutil}' audit --json one`).finished;
    const audit = JSON.parse(stdout) as { exitStatus: number; counts: object; repeated: { id: number }[] };
    expect(audit).toMatchObject({ exitStatus: 4, counts: { givenUp: 1, retried: 0 } });
    expect(audit.repeated.map(({ id }) => id)).toEqual([0, 1, 2]);
  }, 120_000);
});
