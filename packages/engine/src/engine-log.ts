import type { Logger } from "pino";
import type { EngineStats } from "@taskmuster/kvs/protocol";
import type { LaunchResult } from "./launcher/launcher.js";
import { openLog } from "./log.js";

/** The log of an engine, and what stands in it. A node on which it cannot be written works all the same. */
export class EngineLog {
  readonly logger: Logger | null;
  readonly #tellsTasks: boolean;
  /** What it has said that this node is out of. */
  #outOf = "";

  constructor(path: string, level: string) {
    this.logger = opened(path, level);
    this.#tellsTasks = this.logger?.isLevelEnabled("debug") === true;
  }

  taskEnded({ tag, pid, outcome }: LaunchResult): void {
    if (this.#tellsTasks) this.logger?.debug({ tag, pid, outcome }, "task ended");
  }

  /** Once when a limit is met, once when that is over. */
  tellLimits({ outOf, usable }: EngineStats): void {
    if (outOf === this.#outOf) return;
    this.#outOf = outOf;
    if (outOf === "") this.logger?.info("all slots can be used again");
    else
      this.logger?.warn({ outOf, usable }, "a task could not be started here: fewer at a time from now on");
  }
}

function opened(path: string, level: string): Logger | null {
  let told = false;
  const onError = (error: unknown): void => {
    if (told) return;
    told = true;
    process.stderr.write(`engine: goes on without its log ${path}: ${String(error)}\n`);
  };
  try {
    return openLog(path, level, onError);
  } catch (error) {
    onError(error);
    return null;
  }
}
