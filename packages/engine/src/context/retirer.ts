import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LastWords } from "../core/last-words.js";
import {
  type RetireRequest,
  type RetiredNode,
  retireEnvironment,
  slurmRetireCommand,
  slurmWouldShrink,
} from "../core/retire-environment.js";

export type RetireCommand =
  /** Makes the job that we are in smaller. */
  { readonly kind: "slurm" } | { readonly kind: "command"; readonly command: string };

export interface RetirerOptions {
  readonly command: RetireCommand;
  readonly env: NodeJS.ProcessEnv;
  readonly ownNode: string | null;
  /** For people: handing back has failed. */
  readonly onNotice: (message: string) => void;
  /** For the log: what was handed back, and what the command said. */
  readonly onRetired?: (hosts: readonly string[], said: string) => void;
  /** Nodes are handed back together when none has become free for so long, */
  readonly quietMs?: number;
  /** or when the first of them has waited for so long. */
  readonly longestMs?: number;
  readonly timeoutMs?: number;
}

/**
 * Hands nodes back whose engine has ended: gathers them, so as not to bother the scheduler for each, and runs one command at a
 * time. A failure costs nothing but idle nodes, so it is only told of.
 */
export class Retirer {
  readonly #options: RetirerOptions;
  readonly #retired: string[] = [];
  #pending: RetiredNode[] = [];
  #active: readonly string[] = [];
  #firstAt = 0;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  #closed = false;
  readonly #aborting = new AbortController();

  constructor(options: RetirerOptions) {
    this.#options = options;
  }

  /** `active`: the hosts that still have an engine. */
  retire(node: RetiredNode, active: readonly string[]): void {
    if (this.#pending.length === 0) this.#firstAt = performance.now();
    this.#pending.push(node);
    this.#retired.push(node.host);
    this.#active = active;
    this.#wait();
  }

  /** No engine is left. Slurm takes the whole job back by itself, so only a command of the user's is still run. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Slurm takes the nodes back with the job: nobody waits for a scheduler that is busy.
    const timer =
      this.#options.command.kind === "slurm" ? setTimeout(() => this.abort(), closeMs) : undefined;
    await this.#running;
    clearTimeout(timer);
    if (this.#options.command.kind === "command" && this.#pending.length > 0) await this.#handBack();
  }

  /** Kills the command that runs, and starts no other. */
  abort(): void {
    this.#aborting.abort();
  }

  #wait(): void {
    const { quietMs = 2000, longestMs = 10_000 } = this.#options;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const left = this.#firstAt + longestMs - performance.now();
    this.#timer = setTimeout(() => this.#runNext(), Math.max(0, Math.min(quietMs, left)));
  }

  #runNext(): void {
    this.#timer = null;
    if (this.#closed || this.#running !== null || this.#pending.length === 0) return;
    this.#running = this.#handBack().then(() => {
      this.#running = null;
      // What came meanwhile has waited long enough.
      if (!this.#closed && this.#timer === null) this.#runNext();
    });
  }

  /** Never throws. */
  async #handBack(): Promise<void> {
    const { command, env, ownNode, onNotice, onRetired } = this.#options;
    const request: RetireRequest = {
      now: this.#pending,
      active: this.#active,
      retired: [...this.#retired],
      ownNode,
    };
    this.#pending = [];
    const hosts = request.now.map(({ host }) => host);
    if (command.kind === "slurm" && !slurmWouldShrink(request)) return;
    const { signal: aborting } = this.#aborting;
    if (aborting.aborted) return;
    try {
      const said = await run(
        command,
        { ...jobEnvironment(env), ...retireEnvironment(request) },
        this.#options,
        aborting,
      );
      onRetired?.(hosts, said);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      onNotice(`cannot hand back ${hosts.join(", ")}: ${why}`);
    }
  }
}

/** The default names the job as disBatch does; Slurm is not bound to set both. */
function jobEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const job = env["SLURM_JOBID"] ?? env["SLURM_JOB_ID"];
  return job === undefined ? env : { ...env, SLURM_JOBID: job };
}

/** What the command said. Throws when it failed. */
async function run(
  command: RetireCommand,
  env: NodeJS.ProcessEnv,
  { timeoutMs = 300_000 }: RetirerOptions,
  aborting: AbortSignal,
): Promise<string> {
  if (command.kind === "command") return shell(command.command, env, process.cwd(), timeoutMs, aborting);
  // Inside its own job scontrol leaves a script for the user in the working directory.
  const dir = mkdtempSync(join(tmpdir(), "taskmuster-retire-"));
  try {
    return await shell(slurmRetireCommand, env, dir, timeoutMs, aborting);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function shell(
  command: string,
  env: NodeJS.ProcessEnv,
  cwd: string,
  timeoutMs: number,
  aborting: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const words = new LastWords();
    // In a session of its own: a Ctrl-C of the terminal must not leave a node half retired.
    const child = spawn("/bin/sh", ["-c", command], {
      env,
      cwd,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => words.add(text));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      killSession(child.pid);
    }, timeoutMs);
    const abort = (): void => killSession(child.pid);
    aborting.addEventListener("abort", abort, { once: true });
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("exit", (code, signal) => {
      clearTimeout(timer);
      aborting.removeEventListener("abort", abort);
      let told = false;
      const tell = (): void => {
        if (told) return;
        told = true;
        clearTimeout(linger);
        child.stdout.destroy();
        child.stderr.destroy();
        const said = words.lines.join(" | ").slice(0, longestWords);
        if (code === 0) return resolve(said);
        const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
        const what = late ? `no end after ${timeoutMs / 1000} s` : how;
        reject(new Error(`${what} of: ${command}${said && `: ${said}`}`));
      };
      // Something it left behind may hold its pipes.
      const linger = setTimeout(tell, lingerMs);
      child.once("close", tell);
    });
  });
}

const lingerMs = 500;
/** The command with all that it has started, in the session that we gave it. */
function killSession(pid: number | undefined): void {
  // 0, 1 and what is not there would stand for processes that are not ours.
  if (pid === undefined || pid <= 1) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

const closeMs = 5_000;
const longestWords = 1000;
