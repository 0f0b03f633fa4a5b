import {
  type ChildProcess,
  type ChildProcessWithoutNullStreams,
  type SpawnOptions,
  type SpawnOptionsWithStdioTuple,
  type StdioPipe,
  spawn,
} from "node:child_process";
import { basename } from "node:path";
import { TaskmusterError } from "./errors.js";

/**
 * As `spawn`, which still answers a child when it could not be started, and says so by an event. But where there are no descriptors
 * left that child has no pipes, and would never be one: then this throws `E_LAUNCH`.
 */
export function startProcess(
  command: string,
  args: readonly string[],
  options: SpawnOptionsWithStdioTuple<StdioPipe, StdioPipe, StdioPipe>,
): ChildProcessWithoutNullStreams;
export function startProcess(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
export function startProcess(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  const child = spawn(command, args, options);
  // The types do not know of it.
  const stdio: unknown = child.stdio;
  if (stdio !== undefined) return child;
  child.once("error", () => undefined);
  throw new TaskmusterError(
    "E_LAUNCH",
    `cannot start ${basename(command)}: too many open files; allow more (ulimit -n)`,
  );
}

/** Nothing when it was never started: `child.kill` would signal the process group that we are in, which is more than we are. */
export function killProcess(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined && child.pid > 1) child.kill(signal);
}
