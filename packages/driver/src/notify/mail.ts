import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "pino";
import type { StatusRow } from "../core/status-line/index.js";
import type { ResultSink } from "../result-sink.js";
import { RowsToMail, lastMail, progressMail } from "./mail-text.js";
import type { Mail, Mailer } from "./smtp-mailer.js";

export interface MailNotifierOptions {
  readonly mailer: Mailer;
  /** Begins the subjects. */
  readonly jobId: string;
  /** A mail for every so many tasks. */
  readonly every: number;
  readonly log: Pick<Logger, "info" | "warn">;
  readonly onNotice: (message: string) => void;
  /** For tests; 10 s. */
  readonly endMs?: number;
}

const endMs = 10_000;

/**
 * Tells a person by mail of tasks that have ended. Never stops the run, nor slows it: at most one mail is under way, rows meanwhile are gathered;
 * those of a mail that failed go with the next one.
 */
export class MailNotifier implements ResultSink {
  readonly #options: MailNotifierOptions;
  #rows = new RowsToMail();
  #done = 0;
  #failed = 0;
  /** Tasks that had ended when a mail was last tried. */
  #triedAt = 0;
  #sending: Promise<void> | null = null;
  #complained = false;

  constructor(options: MailNotifierOptions) {
    this.#options = options;
  }

  /** Resolves at once. */
  publish(rows: readonly StatusRow[]): Promise<void> {
    for (const { kind, returnCode } of rows) {
      if (kind !== "task") continue;
      this.#done++;
      if (returnCode !== 0) this.#failed++;
    }
    this.#rows.add(rows);
    if (this.#sending === null && this.#done - this.#triedAt >= this.#options.every) {
      this.#triedAt = this.#done;
      const counts = this.#counts;
      this.#sending = this.#send((gathered) => progressMail(this.#options.jobId, counts, gathered)).finally(
        () => {
          this.#sending = null;
        },
      );
    }
    return Promise.resolve();
  }

  post(): Promise<void> {
    return Promise.resolve();
  }

  /** The last mail, with what a person is told at the end, and the end of one under way; waits for a bounded time. Does not throw. */
  async end(summary: readonly string[]): Promise<void> {
    const { mailer, jobId } = this.#options;
    const patience = new AbortController();
    const all = (async () => {
      await this.#sending;
      await this.#send((gathered) => lastMail(jobId, this.#counts, gathered, summary));
      return "sent" as const;
    })();
    const late = sleep(this.#options.endMs ?? endMs, "late" as const, { signal: patience.signal }).catch(
      () => "sent" as const,
    );
    if ((await Promise.race([all, late])) === "late")
      this.#complain(new Error("the mail server does not answer"));
    patience.abort();
    mailer.close();
  }

  get #counts(): { readonly done: number; readonly failed: number } {
    return { done: this.#done, failed: this.#failed };
  }

  async #send(mailOf: (gathered: RowsToMail) => Mail): Promise<void> {
    const gathered = this.#rows;
    this.#rows = new RowsToMail();
    try {
      await this.#options.mailer.send(mailOf(gathered));
      this.#options.log.info({ rows: gathered.count }, "mail sent");
    } catch (error) {
      this.#rows.putBack(gathered);
      this.#complain(error);
    }
  }

  /** In full in the log; a person is told once. */
  #complain(error: unknown): void {
    this.#options.log.warn({ err: error }, "mail could not be sent");
    if (this.#complained) return;
    this.#complained = true;
    const why = error instanceof Error ? error.message : String(error);
    this.#options.onNotice(
      `mail cannot be sent: ${why}. The run goes on; TASKMUSTER_SMTP=smtp://HOST:PORT names a mail server`,
    );
  }
}
