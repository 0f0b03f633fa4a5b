import { closeSync, openSync } from "node:fs";
import { type Logger, pino } from "pino";
import { TaskmusterError } from "@taskmuster/kvs";
import { reasonOf } from "./status-file.js";

/**
 * Opens `path` for appending, private to the user whatever the umask. `onError` is told once when it cannot be written any more; what is
 * logged then is written when it can be again, as far as it is not too much. Throws `TaskmusterError` (E_PREFIX).
 */
export function openLog(path: string, level: string, onError: (error: unknown) => void): Logger {
  try {
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    throw new TaskmusterError("E_PREFIX", `cannot write the log file ${path}: ${reasonOf(cause)}`, { cause });
  }
  const destination = pino.destination({ dest: path, sync: true, maxLength: mostBytes });
  let told = false;
  destination.on("error", (error: unknown) => {
    if (told) return;
    told = true;
    onError(error);
  });
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** Of what waits to be written. */
const mostBytes = 1024 * 1024;
