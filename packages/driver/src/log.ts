import { closeSync, openSync } from "node:fs";
import { type Logger, pino } from "pino";
import { TaskmusterError } from "@taskmuster/kvs";
import { reasonOf } from "./status-file.js";

/** Opens `path` for appending, private to the user whatever the umask. Throws `TaskmusterError` (E_PREFIX). */
export function openLog(path: string, level: string): Logger {
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    throw new TaskmusterError("E_PREFIX", `cannot write the log file ${path}: ${reasonOf(cause)}`, { cause });
  }
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: path, sync: true }),
  );
}
