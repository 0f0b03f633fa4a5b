import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { constants, closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ParentOrders } from "./parent.js";
import { Rig, dead, isAlive, kinds, processesIn, until } from "./rig.js";

const daemon =
  "setsid bash -c 'trap \"\" TERM HUP; echo $$ >$DIR/daemon; while :; do sleep 1; done' >/dev/null 2>&1 </dev/null &";

describe.each(kinds)("%s launcher: when the guarding process is killed", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  it("its trees are dead, their ends told as lost, and it can be started again", async () => {
    const tags = [rig.launch(`${daemon} sleep 600`), rig.launch("echo >$DIR/second; exec env -i sleep 600")];
    const child = Number(await rig.written("daemon"));
    await rig.written("second");
    const { pid } = rig.launcher;
    process.kill(pid ?? 0, "SIGKILL");
    await until("the failure", () => rig.told.includes("failure"));
    expect(new Set(rig.told)).toEqual(new Set([...tags, "failure"]));
    expect(rig.told.at(-1)).toBe("failure");
    for (const tag of tags) {
      expect(rig.results.get(tag)).toMatchObject({ outcome: { kind: "lost" }, stopped: false });
      await dead(rig.results.get(tag)?.pid ?? 0);
    }
    expect(isAlive(child)).toBe(false);
    expect(await rig.run("echo >$DIR/ran")).toMatchObject({ outcome: { kind: "lost" }, pid: -1 });
    await rig.launcher.start();
    expect(rig.launcher.pid).not.toBe(pid);
    expect(await rig.run("true")).toMatchObject({ outcome: { kind: "exited", code: 0 } });
    expect(rig.read("ran")).toHaveLength(0);
  });

  it("the deadline holds for the next one", async () => {
    rig.launcher.setDeadline(1000);
    process.kill(rig.launcher.pid ?? 0, "SIGKILL");
    await until("the failure", () => rig.told.includes("failure"));
    await rig.launcher.start();
    const tag = rig.launch("sleep 600");
    expect(await rig.ended(tag)).toMatchObject({ outcome: { kind: "lost" }, stopped: true });
    await until("the fence", () => rig.told.includes("fenced"));
  });
});

describe("perl launcher: when its spawner is killed", () => {
  it("what runs goes on, and the next tasks are started without it", async () => {
    const rig = await Rig.open("perl");
    try {
      const children = (pid: number): number[] =>
        readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
      const spawner = children(rig.launcher.pid ?? 0).find((pid) =>
        readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("taskmuster-spawner"),
      );
      const before = rig.launch("echo >$DIR/runs; until [ -e $DIR/go ]; do sleep 0.05; done; exit 5");
      await rig.written("runs");
      process.kill(spawner ?? 0, "SIGKILL");
      const after = await rig.run("touch $DIR/go; exit 6");
      expect(after.outcome).toEqual({ kind: "exited", code: 6 });
      expect((await rig.ended(before)).outcome).toEqual({ kind: "exited", code: 5 });
      for (let index = 0; index < 20; index++) rig.launch(`exit ${index}`);
      expect((await rig.run("sleep 600 & sleep 0.3")).outcome).toEqual({ kind: "exited", code: 0 });
      expect(rig.told).toHaveLength(23);
      for (const pid of processesIn(rig.directory)) process.kill(pid, "SIGKILL");
    } finally {
      await rig.close();
    }
  });

  it.each(["KILL", "STOP"])(
    "%s while launches are on their way: each ends once, none runs on",
    async (signal) => {
      const rig = await Rig.open("perl");
      try {
        const { pid } = rig.launcher;
        const spawner = Number(
          readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").trim().split(" ")[0],
        );
        const tags = Array.from({ length: 30 }, () => rig.launch("sleep 600"));
        process.kill(spawner, `SIG${signal}`);
        tags.push(...Array.from({ length: 30 }, () => rig.launch("sleep 600")));
        for (const tag of tags) rig.launcher.stop(tag, 0);
        for (const tag of tags)
          expect((await rig.ended(tag)).stopped || rig.results.get(tag)?.outcome.kind === "lost").toBe(true);
        expect(processesIn(rig.directory)).toEqual([]);
        expect((await rig.run("true")).outcome).toEqual({ kind: "exited", code: 0 });
      } finally {
        await rig.close();
      }
    },
  );
});

describe("perl launchers: short of descriptors", () => {
  it.each(["perl", "portable perl"] as const)("%s: tasks wait until there are some", async (kind) => {
    const rig = await Rig.open(kind);
    try {
      execFileSync("prlimit", ["--pid", String(rig.launcher.pid), "--nofile=24:24"]);
      const tags = Array.from({ length: 16 }, () => rig.launch("sleep 0.2"));
      for (const tag of tags) expect((await rig.ended(tag)).outcome).toEqual({ kind: "exited", code: 0 });
    } finally {
      await rig.close();
    }
  });

  it("a task that gets none for seconds fails to start, with the reason", async () => {
    const rig = await Rig.open("perl");
    try {
      execFileSync("prlimit", ["--pid", String(rig.launcher.pid), "--nofile=8:8"]);
      const result = await rig.run("true");
      expect(result.outcome).toEqual({ kind: "failedToStart", errno: 24 });
      expect(Buffer.from(result.lastWords).toString()).toBe(
        "Exception during task execution: [Errno 24] Too many open files",
      );
    } finally {
      await rig.close();
    }
  });
});

describe.each(kinds)("%s launcher: when the engine", (kind) => {
  let bundle = "";
  let directory = "";
  let engine: Engine | null = null;

  beforeAll(async () => {
    bundle = mkdtempSync(join(tmpdir(), "launcher-parent-"));
    await build({
      entryPoints: [fileURLToPath(new URL("parent.ts", import.meta.url))],
      outfile: join(bundle, "parent.mjs"),
      bundle: true,
      platform: "node",
      format: "esm",
      loader: { ".pl": "text", ".sh": "text" },
      banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
      logLevel: "error",
    });
  });
  afterAll(() => rmSync(bundle, { recursive: true, force: true }));
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
    orders: Pick<ParentOrders, "commands" | "deadlineMs" | "livenessFd">,
    options: EngineOptions = {},
  ): Engine {
    engine = new Engine(join(bundle, "parent.mjs"), { kind, directory, ...orders }, options);
    return engine;
  }
  const written = (name: string): Promise<string> =>
    until(name, () => readOrEmpty(join(directory, name)).trim() || undefined);

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

  it("is stopped past the deadline, every tree is dead, and it hears so when it goes on", async () => {
    const parent = start({ commands: [`${daemon} sleep 600`], deadlineMs: 2500 });
    const child = Number(await written("daemon"));
    parent.kill("SIGSTOP");
    expect(processesIn(directory).length).toBeGreaterThan(0);
    await until("the death of all", () => processesIn(directory).length === 0);
    expect(isAlive(child)).toBe(false);
    expect(isAlive(await parent.launcherPid)).toBe(true);
    parent.kill("SIGCONT");
    await until("the fence", () => parent.said.includes('"fenced"'));
    expect(parent.said.slice(1)).toEqual(['{"tag":0,"outcome":{"kind":"lost"},"stopped":true}', '"fenced"']);
  });

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

interface EngineOptions {
  /** Becomes its descriptor 3. */
  readonly fd?: number;
  readonly ownGroup?: boolean;
  /** A bash text that ends in `exec "$@"`. */
  readonly shell?: string;
}

/** parent.ts as a process. */
class Engine {
  readonly said: string[] = [];
  readonly #child: ChildProcess;
  readonly #gone: Promise<unknown>;

  constructor(script: string, orders: ParentOrders, { fd, ownGroup, shell }: EngineOptions) {
    const command = [process.execPath, script, JSON.stringify(orders)];
    const [file = "", ...args] = shell === undefined ? command : ["bash", "-c", shell, "engine", ...command];
    this.#child = spawn(file, args, {
      stdio: ["pipe", "pipe", "inherit", ...(fd === undefined ? [] : [fd])],
      detached: ownGroup === true,
    });
    this.#gone = new Promise((resolve) => this.#child.once("close", resolve));
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on("line", (line) => this.said.push(line));
    }
    this.#child.stdin?.on("error", () => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get launcherPid(): Promise<number> {
    return until("the launcher's pid", () => /^\{"launcher":(\d+)/.exec(this.said[0] ?? "")?.[1]).then(
      Number,
    );
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async end(): Promise<void> {
    this.#child.kill("SIGCONT");
    this.#child.stdin?.end();
    await this.#gone;
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

/** Of a FIFO opened without waiting: nobody has it open for writing any more. */
function atEnd(reader: number): boolean {
  try {
    return readSync(reader, Buffer.alloc(1)) === 0;
  } catch {
    return false;
  }
}
