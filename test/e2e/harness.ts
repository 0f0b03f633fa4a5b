import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect } from "vitest";

/** The built command, run as a user runs it: real processes, a real Redis, in a directory of its own. */
export const bin = fileURLToPath(new URL("../../bin/driver", import.meta.url));

export interface Finished {
  /** Exit status, or 128 + the signal's number as a shell tells it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Own process group, as a terminal's foreground job has. */
  readonly group?: boolean;
}

export interface PlaceOptions {
  /** In which the place's directory is made. */
  readonly parent?: string;
  /** Comes before every command: a way to another machine. */
  readonly through?: readonly string[];
}

/** One directory and the processes of one test. */
export class Place {
  readonly dir: string;
  /** Short, as sockets lie in it; what is left in it in the end was left behind. */
  readonly tmp = mkdtempSync("/tmp/tm-");
  readonly mark = `TM_TEST=${process.pid}.${Math.random().toString(36).slice(2)}`;
  readonly #children: ChildProcess[] = [];
  readonly #through: readonly string[];

  constructor({ parent = tmpdir(), through = [] }: PlaceOptions = {}) {
    this.dir = mkdtempSync(join(parent, "taskmuster test '$(x)' "));
    this.#through = through;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  files(): readonly string[] {
    return readdirSync(this.dir);
  }

  /** The one file whose name ends so. */
  fileEnding(suffix: string): string {
    const names = this.files().filter((name) => name.endsWith(suffix));
    expect(names, `files ending in ${suffix} among ${this.files().join(", ")}`).toHaveLength(1);
    return names[0] ?? "";
  }

  /** Rows of the only status file, as lists of columns. */
  rows(prefix = ""): readonly (readonly string[])[] {
    const name = prefix === "" ? this.fileEnding("_status.txt") : `${prefix}_status.txt`;
    const text = this.read(name);
    return text === ""
      ? []
      : text
          .replace(/\n$/, "")
          .split("\n")
          .map((line) => line.split("\t"));
  }

  start(args: readonly string[], options: RunOptions = {}): Running {
    return this.#spawn(bin, args, options);
  }

  async run(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
    const running = this.start(args, options);
    if (options.input !== undefined) running.child.stdin?.end(options.input);
    else running.child.stdin?.end();
    return running.finished;
  }

  /** Runs what a run has left of its list, under another prefix or the same. */
  resume(prefix: string, statusFile: string, ...more: readonly string[]): Promise<Finished> {
    return this.run(["-q", "-s", "localhost:2", "-p", prefix, ...more, "-r", statusFile, "tasks"]);
  }

  command(program: string, args: readonly string[], options: RunOptions = {}): Running {
    return this.#spawn(program, args, options);
  }

  shell(script: string, options: RunOptions = {}): Running {
    return this.#spawn("/bin/bash", ["-c", script], options);
  }

  #spawn(command: string, args: readonly string[], options: RunOptions): Running {
    const [name, value] = this.mark.split("=");
    const [program = command, ...rest] = [...this.#through, command, ...args];
    const child = spawn(program, rest, {
      cwd: this.dir,
      env: { ...process.env, TERM: "dumb", TMPDIR: this.tmp, ...options.env, [name ?? ""]: value },
      detached: options.group === true,
    });
    this.#children.push(child);
    return new Running(child);
  }

  /** Pids of every process that descends from this test's commands, whatever session they have. */
  processes(): readonly { readonly pid: number; readonly name: string }[] {
    const found: { pid: number; name: string }[] = [];
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const name = readFileSync(`/proc/${entry}/cmdline`, "latin1").replaceAll("\0", " ").trim();
        const environment = readFileSync(`/proc/${entry}/environ`, "latin1").split("\0");
        // Redis writes its title over its environment; but its socket is in our directory.
        if (!environment.includes(this.mark) && !name.includes(`${this.tmp}/`)) continue;
        // An ended process that nobody has waited for yet has no command line.
        if (name !== "") found.push({ pid: Number(entry), name });
      } catch {
        // It ended while we looked.
      }
    }
    return found;
  }

  /** The pid of the one process whose command line holds `words`. */
  pidOf(words: string): number {
    const found = this.processes().filter(({ name }) => name.includes(words));
    expect(found, `one process with ${words} among ${JSON.stringify(this.processes())}`).toHaveLength(1);
    const pid = found[0]?.pid;
    if (pid === undefined || pid <= 1) throw new Error(`no process to kill: ${pid ?? "none"}`);
    return pid;
  }

  async clean(): Promise<void> {
    const left: string[] = [];
    await until("no process is left", () => {
      const running = this.processes();
      return running.length === 0 ? true : running;
    }).finally(() => {
      for (const { pid } of this.processes()) killIfThere(pid);
      rmSync(this.dir, { recursive: true, force: true });
      left.push(...readdirSync(this.tmp));
      rmSync(this.tmp, { recursive: true, force: true });
    });
    expect(left, "left in the directory for temporary files").toEqual([]);
  }
}

/** It may end while we look. */
function killIfThere(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

export class Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout = "";
  stderr = "";

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdin?.on("error", () => undefined);
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
    this.finished = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code, signal) => {
        const signalNumber = signal === "SIGKILL" ? 9 : signal === "SIGTERM" ? 15 : 2;
        resolve({ code: code ?? 128 + signalNumber, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Throws when there is none: 0 and -1 are not processes to `kill`, they are all of them. */
  get pid(): number {
    if (this.child.pid === undefined) throw new Error("the process was not started");
    return this.child.pid;
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }
}

/** Waits for a fact; `look` answers true, or what it saw instead. Fails with that after `deadlineMs`. */
export async function until(what: string, look: () => unknown, deadlineMs = 20_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    let seen: unknown;
    try {
      seen = await look();
    } catch (error) {
      seen = error;
    }
    if (seen === true) return;
    if (performance.now() > deadline) throw new Error(`not in time: ${what}; last seen: ${describe(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function describe(value: unknown): string {
  return value instanceof Error ? value.message : (JSON.stringify(value) ?? String(value));
}

/** A fresh place for each test of a file; after it nothing of it is left. */
export function usePlace(): () => Place {
  let place: Place | null = null;
  beforeEach(() => {
    place = new Place();
  });
  afterEach(async () => {
    await place?.clean();
    place = null;
  });
  return () => {
    if (place === null) throw new Error("a place exists only during a test");
    return place;
  };
}
