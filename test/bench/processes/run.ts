import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";

export interface Finished {
  /** From before it was started until it had exited. */
  readonly seconds: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Exit statuses that are fine; default 0 alone. */
  readonly fine?: readonly number[];
  readonly onStart?: (child: ChildProcess) => void;
}

const mostSeconds = 1_800;

/** Runs a command to its end. Throws when it fails, or takes for ever: a figure of something that did not work is worth nothing. */
export async function run(words: readonly string[], options: RunOptions): Promise<Finished> {
  const running = start(words, options);
  running.child.stdin?.end(options.input ?? "");
  return running.finished;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves as `run` does. */
  readonly finished: Promise<Finished>;
}

/** The same without waiting for its end, and without closing its standard input. */
export function start(words: readonly string[], options: RunOptions): Running {
  const [command = "", ...args] = words;
  const { cwd, env, fine = [0] } = options;
  const spawnOptions: SpawnOptions = { cwd, stdio: ["pipe", "pipe", "pipe"], ...(env ? { env } : {}) };
  const startedAt = performance.now();
  const child = spawn(command, args, spawnOptions);
  child.stdin?.on("error", () => undefined);
  const [stdout, stderr] = [textOf(child.stdout), textOf(child.stderr)];
  const patience = setTimeout(() => child.kill("SIGKILL"), mostSeconds * 1000);
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      const seconds = (performance.now() - startedAt) / 1000;
      clearTimeout(patience);
      // What it wrote last may still be in the pipe.
      child.once("close", () => {
        if (code !== null && fine.includes(code))
          return resolve({ seconds, stdout: stdout(), stderr: stderr() });
        const what = words.join(" ").slice(0, 300);
        reject(new Error(`${what}: ${signal ?? `exit status ${code}`}: ${stderr().slice(-2_000)}`));
      });
    });
  });
  // Whoever waits later must still see it; nobody waiting yet is no fault.
  finished.catch(() => undefined);
  if (child.pid !== undefined) options.onStart?.(child);
  return { child, pid: child.pid ?? -1, finished };
}

function textOf(stream: ChildProcess["stdout"]): () => string {
  let text = "";
  stream?.setEncoding("utf8").on("data", (some: string) => {
    text += some;
  });
  return () => text;
}

/** Ends a process of ours that should have ended. */
export async function endOf({ child, finished }: Running): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
  const patience = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await finished.catch(() => undefined);
  clearTimeout(patience);
}

export function isInstalled(command: string): boolean {
  return spawnSync("/bin/sh", ["-c", `command -v ${command}`]).status === 0;
}

/** What comes before a command so that it runs on these cores only; nothing where that is all that there are. */
export function onCores(cores: readonly number[]): readonly string[] {
  return availableParallelism() <= cores.length ? [] : ["taskset", "-c", cores.join(",")];
}
