import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type {
  LaunchPlace,
  LaunchRequest,
  LaunchResult,
  Launcher,
  Timeout,
} from "../../src/launcher/launcher.js";
import { type Kind, compiledSpawner } from "./kinds.js";
import { type LauncherSettings, launcherOf } from "./launcher-of.js";

const deadlineMs = 30_000;

/** Part of a command: leaves a child in a session of its own that minds nothing, its pid in `$DIR/daemon`. */
export const daemon =
  "setsid bash -c 'trap \"\" TERM HUP; echo $$ >$DIR/daemon; while :; do sleep 1; done' >/dev/null 2>&1 </dev/null &";

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

export interface RigOptions extends LauncherSettings {
  /** Whatever is launched goes into one of so many slots. */
  readonly slots?: number;
}

/** One launcher, what it told, and a directory for what tasks tell. */
export class Rig {
  readonly launcher: Launcher;
  readonly directory: string;
  readonly results = new Map<number, LaunchResult>();
  readonly recalled: number[] = [];
  /** Everything told, in order: tags of ends, "fenced", "failure". */
  readonly told: Array<number | string> = [];
  #nextTag = 1;
  readonly #inSlots: boolean;

  private constructor(launcher: Launcher, directory: string, inSlots: boolean) {
    this.launcher = launcher;
    this.directory = directory;
    this.#inSlots = inSlots;
  }

  static async open(kind: Kind, options: RigOptions = {}): Promise<Rig> {
    const directory = mkdtempSync(join(tmpdir(), "launcher-test-"));
    const rig: Rig = new Rig(
      await launcherOf(
        kind,
        {
          onEnds: (results) => {
            for (const result of results) {
              if (rig.results.has(result.tag)) throw new Error(`tag ${result.tag} ended twice`);
              if (rig.recalled.includes(result.tag))
                throw new Error(`tag ${result.tag} ended after it was recalled`);
              rig.results.set(result.tag, result);
              rig.told.push(result.tag);
            }
          },
          onRecalled: (tags) => {
            for (const tag of tags) {
              if (rig.results.has(tag)) throw new Error(`tag ${tag} was recalled after its end`);
              if (rig.recalled.includes(tag)) throw new Error(`tag ${tag} was recalled twice`);
              rig.recalled.push(tag);
            }
          },
          onFenced: () => rig.told.push("fenced"),
          onFailure: () => rig.told.push("failure"),
        },
        { cwd: directory, spawner: kind === "compiled" ? compiledSpawner() : null, ...options },
      ),
      directory,
      options.slots !== undefined,
    );
    await rig.launcher.start();
    if (options.slots !== undefined) rig.setSlots(options.slots, () => ({ env: {} }));
    return rig;
  }

  /** Each has its rank in `$SLOT`, unless told otherwise. */
  setSlots(count: number, of: (slot: number) => Partial<LaunchPlace> = () => ({})): void {
    const places = Array.from({ length: count }, (_, slot) => ({
      env: { SLOT: String(slot) },
      cpus: undefined,
      ...of(slot),
    }));
    this.launcher.setSlots(places);
  }

  /** Answers the tag. The task finds the rig's directory in `$DIR`. */
  launch(
    command: string | Uint8Array,
    env: Readonly<Record<string, string>> = {},
    timeout: Timeout | null = null,
  ): number {
    const request = { ...this.#request(command, env), timeout };
    if (this.#inSlots) this.launcher.enqueue(request);
    else this.launcher.launch(request);
    return request.tag;
  }

  /** Answers the tag. */
  enqueue(command: string | Uint8Array, env: Readonly<Record<string, string>> = {}): number {
    const request = this.#request(command, env);
    this.launcher.enqueue(request);
    return request.tag;
  }

  #request(command: string | Uint8Array, env: Readonly<Record<string, string>>): LaunchRequest {
    const bytes = typeof command === "string" ? Buffer.from(command) : command;
    return { tag: this.#nextTag++, command: bytes, env: { DIR: this.directory, ...env } };
  }

  /** Launches, and waits until it says that it is ready, in a file of this name. */
  async ready(command: string, name = "ready"): Promise<number> {
    const tag = this.launch(command);
    await this.written(name);
    return tag;
  }

  ended(tag: number): Promise<LaunchResult> {
    return until(`the end of task ${tag} (told so far: ${this.told.join(" ")})`, () => this.results.get(tag));
  }

  /** Each has ended or was given back. */
  async answered(tags: readonly number[]): Promise<void> {
    for (const tag of tags) {
      await until(
        `an answer for task ${tag} (told so far: ${this.told.join(" ")}; recalled: ${this.recalled.join(" ")})`,
        () => this.results.has(tag) || this.recalled.includes(tag),
      );
    }
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

  /** The lines of such a file so far. */
  lines(name: string): readonly string[] {
    return this.read(name).toString().split("\n").slice(0, -1);
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
