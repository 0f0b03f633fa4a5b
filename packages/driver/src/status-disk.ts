import type { Logger } from "pino";
import type { DriverCore } from "./core/driver-core.js";
import { Patience } from "./patience.js";
import { codeOf, type StatusFile, type StatusFileError } from "./status-file.js";

/**
 * What it means for a run that its rows cannot be written: nothing new is handed out, what runs goes on, and people are told, once. A run that
 * somebody stops does not wait for it for ever.
 */
export class StatusDisk {
  readonly patience: Patience;
  readonly #graceMs: number;
  #stopped = false;
  #giveUpTimer: NodeJS.Timeout | null = null;

  /** `onNews`: there may be something to hand out again, or not any more. */
  constructor(
    parts: {
      readonly core: DriverCore;
      readonly statusFile: StatusFile;
      readonly log: Logger;
      readonly graceMs: number;
      readonly onNotice: (message: string) => void;
      readonly onError?: ((message: string) => void) | undefined;
    },
    onNews: () => void,
  ) {
    const { core, statusFile, log, onNotice, onError = onNotice } = parts;
    this.#graceMs = parts.graceMs;
    const name = `the status file ${statusFile.path}`;
    this.patience = new Patience(name, {
      onStuck: (error) => {
        log.error({ err: error }, "rows cannot be written");
        core.hold(error.message);
        onError(
          `${error.message}. What runs goes on and its results wait, nothing new is started. ${whatToDo(error)}`,
        );
        if (this.#stopped) this.#giveUpSoon();
        onNews();
      },
      onFree: (seconds) => {
        log.warn({ seconds }, "rows can be written again");
        core.hold(null);
        onError(`${name} can be written again, after ${Math.ceil(seconds)} s: the run goes on`);
        onNews();
      },
    });
  }

  get stuck(): boolean {
    return this.patience.stuck;
  }

  /** Somebody has asked that the run be stopped: it does not wait for longer than its tasks take to die. */
  get stopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
    if (this.stuck) this.#giveUpSoon();
  }

  /** What cannot be written now never will be. */
  giveUp(): void {
    this.patience.giveUp();
  }

  close(): void {
    if (this.#giveUpTimer !== null) clearTimeout(this.#giveUpTimer);
  }

  #giveUpSoon(): void {
    this.#giveUpTimer ??= setTimeout(() => this.patience.giveUp(), this.#graceMs + 500);
  }
}

function whatToDo(error: StatusFileError): string {
  const code = codeOf(error.cause);
  const isFull = code === "ENOSPC" || code === "EDQUOT";
  return `${isFull ? "Make room, and the run goes on by itself" : "The run goes on by itself when it can be written again"}; Ctrl-C twice ends it`;
}
