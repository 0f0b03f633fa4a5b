import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ParentOrders } from "./parent.js";
import { compiledSpawner, kinds } from "./kinds.js";
import { daemon, isAlive, processesIn, until } from "./rig.js";
import { Engine, type EngineOptions, atEnd, bundleParent, readOrEmpty } from "./stand-in.js";

describe.each(kinds)("%s launcher: when the engine", (kind) => {
  let program: Awaited<ReturnType<typeof bundleParent>>;
  let directory = "";
  let engine: Engine | null = null;

  beforeAll(async () => {
    program = await bundleParent();
  });
  afterAll(() => program.remove());
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "launcher-test-"));
  });
  afterEach(async () => {
    await engine?.end();
    const left = processesIn(directory);
    for (const pid of left) process.kill(pid, "SIGKILL");
    rmSync(directory, { recursive: true, force: true });
    expect(left).toEqual([]);
  });

  function start(
    orders: Omit<ParentOrders, "kind" | "directory" | "spawner">,
    options: EngineOptions = {},
  ): Engine {
    const spawner = kind === "compiled" ? compiledSpawner() : null;
    engine = new Engine(program.script, { kind, directory, spawner, ...orders }, options);
    return engine;
  }
  const written = (name: string): Promise<string> =>
    until(name, () => readOrEmpty(join(directory, name)).trim() || undefined);
  const lines = (name: string): number => readOrEmpty(join(directory, name)).split("\n").length - 1;

  it("is killed, every tree is dead soon, and then the last holder of the liveness descriptor is gone", async () => {
    const path = join(directory, "liveness");
    execFileSync("mkfifo", [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const writer = openSync(path, constants.O_WRONLY);
      const parent = start(
        { commands: [`${daemon} sleep 600`, "ls /proc/self/fd >$DIR/fds; sleep 600"], livenessFd: 3 },
        { fd: writer },
      );
      closeSync(writer);
      const child = Number(await written("daemon"));
      await until("two tasks and a daemon", () => processesIn(directory).length >= 4);
      // 3 is the directory that ls reads.
      expect(await written("fds")).toBe("0\n1\n2\n3");
      parent.kill("SIGKILL");
      await until("the end of the liveness pipe", () => atEnd(reader));
      expect(processesIn(directory)).toEqual([]);
      expect(isAlive(child)).toBe(false);
      expect(isAlive(await parent.launcherPid)).toBe(false);
    } finally {
      closeSync(reader);
    }
  });

  it.runIf(process.getuid?.() === 0)(
    "is killed on a node without a process or descriptor left, or room for a file, every tree is dead soon",
    async () => {
      // The number of processes is limited for a user other than root.
      const user = 64_125;
      const paths = [directory, dirname(program.script)];
      for (const path of kind === "compiled" ? [...paths, dirname(compiledSpawner())] : paths)
        chmodSync(path, 0o755);
      chownSync(directory, user, user);
      const become = `setpriv --reuid=${user} --regid=${user} --clear-groups`;
      const parent = start(
        { commands: [`${daemon} sleep 600`, "sleep 600"] },
        { shell: `export TMPDIR=${directory}; exec ${become} "$@"` },
      );
      const child = Number(await written("daemon"));
      await until("two tasks and a daemon", () => processesIn(directory).length >= 4);
      const guard = await parent.launcherPid;
      const open = Math.max(...readdirSync(`/proc/${guard}/fd`).map(Number)) + 1;
      // bash keeps its script at 255 if it can; what it has is what it needs.
      const most = kind === "node" ? 16 : open;
      const limits = ["--nproc=1:", `--nofile=${most}:`, "--fsize=0:"];
      execFileSync("setpriv", [...become.split(" ").slice(1), "prlimit", "--pid", String(guard), ...limits]);
      parent.kill("SIGKILL");
      await until("the launcher's end", () => !isAlive(guard));
      expect([processesIn(directory), isAlive(child)]).toEqual([[], false]);
    },
  );

  it("is stopped past the deadline, every tree is dead, and it hears so when it goes on", async () => {
    const parent = start({ commands: [`${daemon} sleep 600`], deadlineMs: 2500 });
    const child = Number(await written("daemon"));
    expect(processesIn(directory).length).toBeGreaterThan(0);
    await parent.letDeadlineRun();
    parent.kill("SIGSTOP");
    await until("the death of all", () => processesIn(directory).length === 0);
    expect(isAlive(child)).toBe(false);
    expect(isAlive(await parent.launcherPid)).toBe(true);
    parent.kill("SIGCONT");
    await until("the fence", () => parent.said.includes('"fenced"'));
    expect(parent.said.slice(1)).toEqual([
      '"deadline"',
      '{"tag":0,"outcome":{"kind":"lost"},"stopped":true}',
      '"fenced"',
    ]);
  });

  it("is killed while much waits for a slot, nothing more of it starts", async () => {
    const parent = start({ slots: 2, times: 500, commands: ["echo >>$DIR/begun; sleep 600"] });
    const launcher = await parent.launcherPid;
    await until("two have begun", () => lines("begun") === 2);
    parent.kill("SIGKILL");
    await until("the launcher's end", () => !isAlive(launcher));
    expect([lines("begun"), processesIn(directory)]).toEqual([2, []]);
  });

  it("is killed while short tasks run through its slots, nothing runs once the launcher is gone", async () => {
    const parent = start({ slots: 2, times: 20_000, commands: ["echo >>$DIR/begun"] });
    const launcher = await parent.launcherPid;
    await until("some have begun", () => lines("begun") > 20);
    parent.kill("SIGKILL");
    await until("the launcher's end", () => !isAlive(launcher));
    expect(processesIn(directory)).toEqual([]);
    expect(lines("begun")).toBeLessThan(20_000);
  });

  it("is stopped past the deadline while much waits for a slot, nothing more of it starts, and all is told", async () => {
    const commands = ["echo >>$DIR/begun; sleep 600"];
    const parent = start({ slots: 2, times: 300, commands, deadlineMs: 2500 });
    await until("two have begun", () => lines("begun") === 2);
    await parent.letDeadlineRun();
    parent.kill("SIGSTOP");
    await until("the death of all", () => processesIn(directory).length === 0);
    parent.kill("SIGCONT");
    await until("the fence", () => parent.said.includes('"fenced"'));
    const rest = Array.from({ length: 298 }, (_, index) => index + 2);
    await until("all that waited", () => parent.recalled.length === 298);
    expect(parent.recalled).toEqual(rest);
    for (const tag of [0, 1])
      expect(parent.said).toContain(`{"tag":${tag},"outcome":{"kind":"lost"},"stopped":true}`);
    expect([lines("begun"), processesIn(directory)]).toEqual([2, []]);
  });

  it("has few descriptors, what waits for some keeps its slot", async () => {
    const shell = 'ulimit -n 64; exec "$@"';
    const parent = start({ slots: 20, times: 60, commands: ["echo >>$DIR/begun; sleep 0.1"] }, { shell });
    await until("all ends", () => parent.said.length === 61);
    const said = (outcome: string): number =>
      parent.said.filter((each) => each.includes(`"outcome":${outcome}`)).length;
    const ended = said('{"kind":"exited","code":0}');
    // Where others are slow to make room it has tried often enough; then it has not begun.
    expect(ended + said('{"kind":"failedToStart","errno":24}')).toBe(60);
    expect(ended).toBeGreaterThanOrEqual(20);
    expect(lines("begun")).toBe(ended);
  });

  it.runIf(kind === "node")(
    "has its directory of pipes removed, it makes another, which does not outlive it",
    async () => {
      const own = join(directory, "tmp");
      mkdirSync(own);
      const remove = "echo $TMPDIR/* >>$DIR/removed; rm -rf $TMPDIR/*";
      const orders = { slots: 1, times: 40, commands: [remove, "true"] };
      const parent = start(orders, { shell: `export TMPDIR=${own}; exec "$@"` });
      await until("all ends", () => parent.said.length === 81);
      for (let tag = 0; tag < 80; tag++)
        expect(parent.said).toContain(`{"tag":${tag},"outcome":{"kind":"exited","code":0},"stopped":false}`);
      const removed = readOrEmpty(join(directory, "removed")).split("\n");
      expect(new Set(removed).size).toBeGreaterThan(2);
      parent.kill("SIGKILL");
      await until("the end of the last one", () => readdirSync(own).length === 0);
    },
  );

  it("gets a Ctrl-C with its whole process group, the guarding process lives", async () => {
    const parent = start({ commands: ["sleep 600"] }, { ownGroup: true });
    const guard = await parent.launcherPid;
    for (const signal of ["INT", "TERM", "HUP", "QUIT"])
      execFileSync("bash", ["-c", `kill -${signal} ${guard}`]);
    process.kill(-parent.pid, "SIGTSTP");
    await until("one task", () => processesIn(directory).length === 1);
    expect(isAlive(guard)).toBe(true);
    process.kill(-parent.pid, "SIGCONT");
  });

  it("was started with odd descriptors, tasks do not get them", async () => {
    const parent = start(
      { commands: ["exec ls /proc/self/fd >$DIR/fds"] },
      { shell: 'exec 40</dev/null 251>/dev/null; exec "$@"' },
    );
    await until("the task's end", () => parent.said.length > 1);
    expect(readOrEmpty(join(directory, "fds"))).toBe("0\n1\n2\n3\n");
  });

  it("has variables that perl listens to or that are no UTF-8, tasks get them", async () => {
    const odd = kind === "node" ? "" : "ODD=$'a\\xff\\xfe' ";
    const parent = start(
      { commands: ["cat /proc/$$/environ >$DIR/environ; echo >$DIR/done"] },
      { shell: `${odd}PERL5LIB=/nowhere PERL5OPT=-Mno_such_module PERL_UNICODE=SDA exec "$@"` },
    );
    await until("the task's end", () => parent.said.length > 1);
    const environ = readFileSync(join(directory, "environ"), "latin1").split("\0");
    expect(environ).toEqual(
      expect.arrayContaining(["PERL5LIB=/nowhere", "PERL5OPT=-Mno_such_module", "PERL_UNICODE=SDA"]),
    );
    if (kind !== "node") expect(environ).toContain("ODD=a\xff\xfe");
  });
});
