import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Running, bin, until, usePlace } from "./harness.js";
import { writeGenerator } from "./embedding-programs.js";

const place = usePlace();

interface Address {
  readonly addresses: readonly string[];
  readonly password: string;
  readonly engines: { readonly password: string };
  readonly certificate?: string;
}

function address(): Address {
  const parsed: unknown = JSON.parse(place().read("run_kvsinfo.txt"));
  return parsed as Address;
}

function secrets(): readonly string[] {
  const { password, engines } = address();
  expect(password.length).toBeGreaterThan(20);
  expect(engines.password.length).toBeGreaterThan(20);
  return [password, engines.password];
}

/** Where any of the secrets stands: in somebody's arguments or environment, or in a file. */
function leaks(found: readonly string[], texts: Iterable<readonly [string, string]>): string[] {
  const where: string[] = [];
  for (const [name, text] of texts) if (found.some((secret) => text.includes(secret))) where.push(name);
  return where;
}

/** Arguments of every process of this machine, and environment of those of the run. */
function* processTexts(): Generator<[string, string]> {
  const ours = new Set(
    place()
      .processes()
      .map(({ pid }) => pid),
  );
  for (const pid of readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    try {
      yield [`arguments of ${pid}`, readFileSync(`/proc/${pid}/cmdline`, "latin1")];
      if (ours.has(pid)) yield [`environment of ${pid}`, readFileSync(`/proc/${pid}/environ`, "latin1")];
    } catch {
      // It ended while we looked.
    }
  }
}

/** Every file of the run, but the one that is there to tell it. */
function* fileTexts(...directories: readonly string[]): Generator<[string, string]> {
  for (const directory of directories) {
    for (const name of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
      const path = join(directory, name);
      if (name !== "run_kvsinfo.txt" && statSync(path).isFile()) yield [name, readFileSync(path, "latin1")];
    }
  }
}

/** Each task keeps what it was given, and waits. */
const task = "cat /proc/self/environ > env$DISBATCH_TASKID; until [ -e go ]; do sleep 0.02; done";

async function expectNoLeak(driver: Running, kinds: readonly RegExp[]): Promise<readonly string[]> {
  await until(
    "two tasks run",
    () => existsSync(place().path("env1")) && statSync(place().path("env1")).size > 0,
  );
  const found = secrets();
  const names = place()
    .processes()
    .map(({ name }) => name);
  for (const kind of kinds)
    expect(
      names.filter((name) => kind.test(name)),
      `${kind}`,
    ).not.toEqual([]);
  expect(leaks(found, processTexts())).toEqual([]);
  const files = [...fileTexts(place().dir, place().tmp)];
  expect(files.map(([name]) => name)).toEqual(
    expect.arrayContaining(["run_status.txt", "run_dbUtil.sh", "env0"]),
  );
  expect(leaks(found, files)).toEqual([]);
  expect(leaks(found, [["output", driver.stdout + driver.stderr]])).toEqual([]);
  for (const [name, text] of files.filter(([each]) => /^env\d/.test(each))) {
    expect(text, name).toContain("DISBATCH_TASKID=");
    expect(text, name).not.toMatch(/TASKMUSTER_(?!TASK=|RUN=)|KVSSTCP/);
  }
  return found;
}

function modes(): Record<string, string> {
  const names = place()
    .files()
    .filter((name) => name.startsWith("run_"));
  return Object.fromEntries(
    names.map((name) => [name, (statSync(place().path(name)).mode & 0o777).toString(8)]),
  );
}

const processes = [/driver\.js/, /engine\.js/, /taskmuster-keeper/];
// One that listens on the network does not show by what it does so, nor its environment.
const server = /redis-server|valkey-server/;

describe("the secrets of a run", () => {
  it("stand in its address file and nowhere else, with engines on this host", async () => {
    place().write("tasks", `${task}\n${task}\nfalse\n`);
    const driver = place().shell(`umask 0; exec '${bin}' -s localhost:3 -p run --loglevel DEBUG tasks`);
    const found = await expectNoLeak(driver, [...processes, server]);
    for (const [name, mode] of Object.entries(modes()))
      expect(`${name} ${mode}`).toBe(`${name} ${name.endsWith(".sh") ? "700" : "600"}`);
    place().write("go", "");
    const { code, stdout, stderr } = await driver.finished;
    expect(code, stderr).toBe(0);
    expect(place().files()).not.toContain("run_kvsinfo.txt");
    expect(leaks(found, [["output", stdout + stderr], ...fileTexts(place().dir, place().tmp)])).toEqual([]);
    // At this level it tells of every task.
    expect(place().read(place().fileEnding("_engine_0.log"))).toContain('"level":20');
  });

  it("stand nowhere else either when the run is served, with engines that are added", async () => {
    place().write("tasks", `${task}\n${task}\n`);
    const driver = place().shell(`umask 0; exec '${bin}' -S -p run --loglevel DEBUG tasks`);
    await until("engines can be added", () => place().files().includes("run_dbUtil.sh"));
    // As from another host: by the network only.
    const all = address();
    const byNetwork = { ...all, addresses: all.addresses.filter((each) => each.startsWith("rediss:")) };
    place().write("run_kvsinfo.txt", JSON.stringify(byNetwork));
    const context = place().shell("umask 0; exec ./run_dbUtil.sh -s localhost:2 -l added");
    const found = await expectNoLeak(driver, [...processes, /context\.js/]);
    const { addresses, certificate = "" } = address();
    expect(addresses.map((each) => new URL(each).protocol)).toContain("rediss:");
    expect(all.addresses.slice(1)).toEqual(addresses);
    expect(certificate).toContain("BEGIN CERTIFICATE");
    expect(place().read("run_kvsinfo.txt")).not.toContain("PRIVATE KEY");
    for (const [name, mode] of Object.entries(modes()))
      expect(`${name} ${mode}`).toBe(`${name} ${name.endsWith(".sh") ? "700" : "600"}`);
    expect(Object.keys(modes())).toContain("run_added.context.log");
    place().write("go", "");
    const said = [await context.finished, await driver.finished].map(({ stdout, stderr }) => stdout + stderr);
    expect(leaks(found, [["output", said.join("")], ...fileTexts(place().dir, place().tmp)])).toEqual([]);
  });

  it("do not come out when the driver is killed", async () => {
    place().write("tasks", `${task}\n${task}\n`);
    const lease = ["--lease", "4", "--grace", "0.2"];
    const driver = place().start([
      "-s",
      "localhost:2",
      "-p",
      "run",
      ...lease,
      "--loglevel",
      "DEBUG",
      "tasks",
    ]);
    const found = await expectNoLeak(driver, [...processes, server]);
    process.kill(place().pidOf("driver.js"), "SIGABRT");
    const { stdout, stderr } = await driver.finished;
    // What it leaves is what was there: the address file, for its engines and whoever takes over.
    expect(leaks(found, [["output", stdout + stderr], ...fileTexts(place().dir, place().tmp)])).toEqual([]);
    place().write("go", "");
  });

  it("are told to the command that makes tasks, and not to these", async () => {
    const command = writeGenerator(
      place(),
      `await signIn();
await push(${JSON.stringify(`cat /proc/self/environ > env0`)});
await result();
console.log("TOLD " + env.TASKMUSTER_KVS_PASSWORD.length);
await done();`,
    );
    const run = await place().run(["-s", "localhost:1", "-p", "run", "--taskcommand", command]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toContain("TOLD 32");
    expect(place().read("env0")).not.toMatch(/TASKMUSTER_(?!TASK=|RUN=)|KVSSTCP/);
  });
});

describe("files that others could have put there", () => {
  it("are refused by name: links where the logs and the ledger go", async () => {
    place().write("tasks", "true\n");
    for (const name of ["run_driver.log", "run_ledger", "run_status.txt"]) {
      const { code, stderr } = await place().shell(
        `ln -s '${name}.victim' ${name}; '${bin}' -s localhost:1 -p run tasks; s=$?; rm ${name}; exit $s`,
      ).finished;
      expect(code, stderr).toBe(1);
      expect(stderr).toContain(name);
      expect(place().files()).not.toContain(`${name}.victim`);
    }
  });

  it("are warned of, where everybody can write", async () => {
    place().write("tasks", "true\n");
    const { code, stderr } = await place().shell(
      `mkdir open; chmod 777 open; exec '${bin}' -s localhost:1 -p open/run tasks`,
    ).finished;
    expect(code).toBe(0);
    expect(stderr).toMatch(/others can write into .*open \(mode 0777\).*choose another -p/);
  });
});
