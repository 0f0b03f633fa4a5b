import { statSync } from "node:fs";
import { TaskmusterError } from "@taskmuster/kvs";

/** Whether we were started in the directory that tasks run in, by whatever name. */
export function isCurrentDirectory(path: string): boolean {
  try {
    const [here, there] = [statSync("."), statSync(path)];
    return here.dev === there.dev && here.ino === there.ino;
  } catch {
    return false;
  }
}

/** Throws `TaskmusterError` (E_LAUNCH). */
export function enterDirectory(path: string, host: string): void {
  try {
    process.chdir(path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/, chdir .*/s, "") : String(cause);
    throw new TaskmusterError(
      "E_LAUNCH",
      `cannot enter ${path} on ${host}: ${why}; is it on a file system that this host has?`,
      { cause },
    );
  }
  // The name by which tasks know it may lead through symbolic links.
  process.env["PWD"] = path;
}
