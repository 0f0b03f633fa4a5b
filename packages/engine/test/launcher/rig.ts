import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createLauncher } from "../../src/launcher/create.js";
import type { LaunchResult, Launcher, LauncherEvents } from "../../src/launcher/launcher.js";
import { PerlLauncher } from "../../src/launcher/perl-launcher.js";

/** Every launcher must keep the same promises. */
export const kinds = ["perl", "portable perl", "node"] as const;
export type Kind = (typeof kinds)[number];

const deadlineMs = 30_000;

/** Waits for a fact: the first answer that is neither undefined nor false. */
export async function until<Fact>(
  what: string,
  probe: () => Fact | undefined | false | Promise<Fact | undefined | false>,
): Promise<Fact> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const fact = await probe();
    if (fact !== undefined && fact !== false) return fact;
    if (performance.now() > end)
      throw new Error(`not within ${deadlineMs} ms: ${what}; last seen: ${String(fact)}`);
    await delay(5);
  }
}

export interface RigOptions {
  readonly cwd?: string;
  readonly livenessFd?: number;
}

export async function launcherOf(
  kind: Kind,
  events: LauncherEvents,
  options: RigOptions = {},
): Promise<Launcher> {
  const cwd = options.cwd ?? tmpdir();
  const rest = options.livenessFd === undefined ? {} : { livenessFd: options.livenessFd };
  if (kind !== "node") {
    return new PerlLauncher({ events, cwd, platform: kind === "perl" ? "linux" : "portable", ...rest });
  }
  return await createLauncher({ kind, events, cwd, ...rest });
}

/** One launcher, what it told, and a directory for what tasks tell. */
export class Rig {
  readonly launcher: Launcher;
  readonly directory: string;
  readonly results = new Map<number, LaunchResult>();
  /** Everything told, in order: tags of ends, "fenced", "failure". */
  readonly told: Array<number | string> = [];
  #nextTag = 1;

  private constructor(launcher: Launcher, directory: string) {
    this.launcher = launcher;
    this.directory = directory;
  }

  static async open(kind: Kind, options: RigOptions = {}): Promise<Rig> {
    const directory = mkdtempSync(join(tmpdir(), "launcher-test-"));
    const rig: Rig = new Rig(
      await launcherOf(
        kind,
        {
          onEnd: (result) => {
            if (rig.results.has(result.tag)) throw new Error(`tag ${result.tag} ended twice`);
            rig.results.set(result.tag, result);
            rig.told.push(result.tag);
          },
          onFenced: () => rig.told.push("fenced"),
          onFailure: () => rig.told.push("failure"),
        },
        { cwd: directory, ...options },
      ),
      directory,
    );
    await rig.launcher.start();
    return rig;
  }

  /** Answers the tag. The task finds the rig's directory in `$DIR`. */
  launch(
    command: string | Uint8Array,
    env: Readonly<Record<string, string>> = {},
    cpus?: readonly number[],
  ): number {
    const tag = this.#nextTag++;
    const bytes = typeof command === "string" ? Buffer.from(command) : command;
    this.launcher.launch({ tag, command: bytes, env: { DIR: this.directory, ...env }, cpus });
    return tag;
  }

  ended(tag: number): Promise<LaunchResult> {
    return until(`the end of task ${tag} (told so far: ${this.told.join(" ")})`, () => this.results.get(tag));
  }

  run(command: string | Uint8Array, env: Readonly<Record<string, string>> = {}): Promise<LaunchResult> {
    return this.ended(this.launch(command, env));
  }

  /** What a task wrote to a file of the rig's directory, once it has written a whole line. */
  written(name: string): Promise<string> {
    return until(`a line in ${name}`, () => {
      const text = this.read(name).toString();
      return text.endsWith("\n") && text.trim();
    });
  }

  /** Empty when there is no such file yet. */
  read(name: string): Buffer {
    try {
      return readFileSync(join(this.directory, name));
    } catch {
      return Buffer.alloc(0);
    }
  }

  async close(): Promise<void> {
    await this.launcher.close();
    const left = processesIn(this.directory);
    for (const pid of left) process.kill(pid, "SIGKILL");
    rmSync(this.directory, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left behind: processes ${left.join(" ")}`);
  }
}

/** A zombie is not alive. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

export function dead(pid: number): Promise<true> {
  return until(`the death of process ${pid}`, () => !isAlive(pid));
}

/** Live processes that were given this directory as `$DIR`. */
export function processesIn(directory: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      try {
        return (
          Number.isInteger(pid) &&
          isAlive(pid) &&
          readFileSync(`/proc/${pid}/environ`).includes(`DIR=${directory}\0`)
        );
      } catch {
        return false;
      }
    });
}

/** Memory in RAM, bytes. */
export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]) * 1024;
}
