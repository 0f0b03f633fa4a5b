import { type RunView, reasonText } from "@taskmuster/driver";
import { Progress } from "./progress.js";
import type { Settings } from "./settings.js";
import { type SummaryInput, summaryJson, summaryLines } from "./summary.js";
import { ProgressOutput } from "./terminal.js";

/** Says things to people: on standard output, or with --json on standard error, or not at all. */
export class Speaker {
  readonly #settings: Pick<Settings, "quiet" | "json">;
  readonly #output: ProgressOutput;

  constructor(settings: Pick<Settings, "quiet" | "json">) {
    this.#settings = settings;
    this.#output = new ProgressOutput(settings.json ? process.stderr : process.stdout);
  }

  error(message: string): void {
    this.#output.clear();
    process.stderr.write(`${message}\n`);
  }

  /** What somebody else has to say. */
  pass(text: Uint8Array): void {
    this.#output.clear();
    process.stderr.write(text);
  }

  /** Something a person should know although the run goes on. */
  notice(message: string): void {
    if (!this.#settings.quiet) this.error(`driver: ${message}`);
  }

  nothingToRun(): void {
    const message = "No tasks to run.";
    this.error(message);
    if (!this.#settings.json) return;
    process.stdout.write(
      `${JSON.stringify({ reason: "finished", message, tasks: 0, done: 0, failed: 0, left: 0 })}\n`,
    );
  }

  begin(lines: readonly string[]): void {
    if (this.#settings.quiet || this.#settings.json) return;
    for (const line of lines) this.#output.print(line);
  }

  /** Shows how it goes until the answered function is called. */
  follow(total: number | null, view: () => RunView): () => void {
    if (this.#settings.quiet || (this.#settings.json && !this.#output.isTerminal)) return () => undefined;
    const progress = new Progress(total, performance.now());
    let plainAt = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const line = progress.line(view(), now, this.#output.isTerminal ? this.#output.columns - 1 : 200);
      if (this.#output.isTerminal) this.#output.show(line);
      else if (now - plainAt >= plainEveryMs) {
        plainAt = now;
        this.#output.print(line);
      }
    }, showEveryMs);
    return () => {
      clearInterval(timer);
      this.#output.clear();
    };
  }

  end(input: SummaryInput): void {
    if (this.#settings.json) process.stdout.write(`${JSON.stringify(summaryJson(input))}\n`);
    else if (!this.#settings.quiet) {
      for (const line of summaryLines(input, this.#output.isTerminal ? this.#output.columns : 120))
        this.#output.print(line);
    }
    const reason = reasonText(input.view.reason);
    // With --quiet or --json the words still have to be said somewhere.
    if (reason !== null && (this.#settings.quiet || this.#settings.json)) {
      this.error(`driver: ${reason}`);
      if (input.resume !== null) this.error(`To go on: ${input.resume}`);
    }
  }
}

const showEveryMs = 200;
const plainEveryMs = 30_000;
