import type { ReadStream, WriteStream } from "node:tty";
import type { Size } from "./model/layout.js";

export interface ScreenEvents {
  onKeys(bytes: Uint8Array): void;
  /** It has another size, or nobody knows what stands on it: draw anew. */
  onResize(size: Size): void;
  /** Somebody wants us to end; null: the terminal has gone. */
  onSignal(signal: NodeJS.Signals | null): void;
}

// The alternate screen, no cursor, no wrapping at the right edge: a character of disputed width must not push all others down.
const enter = "\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[m\u001b[2J";
const leave = "\u001b[m\u001b[?7h\u001b[?25h\u001b[?1049l";
// A terminal that knows these shows a frame when it is whole; others ignore them.
const frameBegins = "\u001b[?2026h";
const frameEnds = "\u001b[?2026l";

const endSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * The terminal, while the monitor has it: the only place that writes to it. Whatever ends the process, short of SIGKILL, gives the
 * terminal back as it was.
 */
export class Screen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #events: ScreenEvents;
  /** The lines that stand there; null: not known. */
  #shown: readonly string[] | null = null;
  #entered = false;

  readonly #restore = (): void => this.#leave();
  readonly #keys = (bytes: Buffer): void => this.#events.onKeys(bytes);
  readonly #gone = (): void => this.#events.onSignal(null);
  readonly #ended = (signal: NodeJS.Signals): void => this.#events.onSignal(signal);
  readonly #stopped = (): void => this.suspend();
  readonly #resized = (): void => {
    this.#shown = null;
    this.#events.onResize(this.size);
  };
  readonly #continued = (): void => {
    if (!this.#entered) return;
    this.#enter();
    this.#events.onResize(this.size);
  };

  constructor(input: ReadStream, output: WriteStream, events: ScreenEvents) {
    this.#input = input;
    this.#output = output;
    this.#events = events;
  }

  get size(): Size {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  start(): void {
    process.on("exit", this.#restore);
    for (const signal of endSignals) process.on(signal, this.#ended);
    process.on("SIGTSTP", this.#stopped);
    process.on("SIGCONT", this.#continued);
    this.#output.on("resize", this.#resized);
    this.#output.on("error", this.#gone);
    this.#input.on("data", this.#keys);
    this.#input.on("end", this.#gone);
    this.#input.on("error", this.#gone);
    this.#enter();
  }

  stop(): void {
    this.#leave();
    process.off("exit", this.#restore);
    for (const signal of endSignals) process.off(signal, this.#ended);
    process.off("SIGTSTP", this.#stopped);
    process.off("SIGCONT", this.#continued);
    this.#output.off("resize", this.#resized);
    this.#input.off("data", this.#keys);
    this.#input.off("end", this.#gone);
    this.#input.off("error", this.#gone);
    this.#input.pause();
    // The listener for errors of the output stays: what was written last may fail later.
  }

  /** Brings the screen to these lines, writing only those that differ from what stands there. */
  draw(lines: readonly string[]): void {
    if (!this.#entered) return;
    const before = this.#shown;
    let text = before === null ? "\u001b[m\u001b[2J" : "";
    for (const [row, line] of lines.entries()) {
      if (before !== null && before[row] === line) continue;
      const short = line.trimEnd();
      // Never after a full line: the cursor then still stands on its last character.
      const rest = short.length < line.length ? "\u001b[K" : "";
      text += `\u001b[${row + 1};1H${short}${rest}`;
    }
    this.#shown = lines;
    if (text !== "") this.#output.write(`${frameBegins}${text}${frameEnds}`);
  }

  /** Draws everything anew the next time. */
  forget(): void {
    this.#shown = null;
  }

  /** Ctrl-Z. Goes on when we are continued, or at once where nobody could continue us. */
  suspend(): void {
    this.#leave();
    // By the signal's own effect rather than SIGSTOP, as the kernel spares those that no shell looks after.
    process.off("SIGTSTP", this.#stopped);
    process.kill(process.pid, "SIGTSTP");
    setTimeout(() => {
      process.on("SIGTSTP", this.#stopped);
      this.#enter();
      this.#events.onResize(this.size);
    }, settleMs);
  }

  #enter(): void {
    // Off first: whoever stopped us may have changed the mode behind Node's back, which else does nothing.
    this.#input.setRawMode(false);
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#output.write(enter);
    this.#entered = true;
    this.#shown = null;
  }

  #leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    this.#input.setRawMode(false);
    this.#output.write(leave);
  }
}

/** A stop takes effect a moment after the signal was sent. */
const settleMs = 50;
