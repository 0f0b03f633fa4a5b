import { closeSync, openSync } from "node:fs";
import { type Logger, pino } from "pino";

/** Opens `path` for appending, private to the user whatever the umask. Throws what `open` throws. */
export function openLog(path: string, level: string): Logger {
  closeSync(openSync(path, "a", 0o600));
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: path, sync: true }),
  );
}
