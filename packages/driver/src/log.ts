import { openSync } from "node:fs";
import { type Logger, pino } from "pino";
import { TaskmusterError, openPrivateFile } from "@taskmuster/kvs";
import { reasonOf } from "./status-file.js";

/**
 * Opens `path` for appending, private to the user whatever the umask. `onError` is told once when it cannot be written any more; what is
 * logged then is written when it can be again, as far as it is not too much. One that was named by a person may be anything, a link or a device too; else it must be a file of
 * ours. Throws `TaskmusterError` (E_PREFIX).
 */
export function openLog(
  path: string,
  level: string,
  onError: (error: unknown) => void,
  isNamed = false,
): Logger {
  let file: number;
  try {
    file = isNamed ? openSync(path, "a", 0o600) : openPrivateFile(path);
  } catch (cause) {
    throw new TaskmusterError("E_PREFIX", `cannot write the log file ${path}: ${reasonOf(cause)}`, { cause });
  }
  const destination = pino.destination({ dest: file, sync: true, maxLength: mostBytes });
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
