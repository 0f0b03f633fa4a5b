import { openPrivateFile } from "@taskmuster/kvs";
import { type Logger, pino } from "pino";

/**
 * Opens `path` for appending, private to the user whatever the umask. Throws what `openPrivateFile` throws. `onError`: what is logged
 * cannot be written any more; called each time.
 */
export function openLog(path: string, level: string, onError: (error: unknown) => void): Logger {
  const destination = pino.destination({ dest: openPrivateFile(path), sync: true, maxLength: mostBytes });
  destination.on("error", onError);
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** Of what waits to be written; the rest is lost. */
const mostBytes = 1024 * 1024;
