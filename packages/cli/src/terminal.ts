import type { WriteStream } from "node:tty";

/** What is said on the way: one line that is overwritten on a terminal, now and then a plain line elsewhere. */
export class ProgressOutput {
  readonly #stream: NodeJS.WriteStream | WriteStream;
  readonly #isTerminal: boolean;
  #shown = "";

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY && process.env["TERM"] !== "dumb";
  }

  get isTerminal(): boolean {
    return this.#isTerminal;
  }

  get columns(): number {
    return "columns" in this.#stream && this.#stream.columns > 0 ? this.#stream.columns : 80;
  }

  /** Shows `line` in place of the one before. */
  show(line: string): void {
    if (!this.#isTerminal || line === this.#shown) return;
    this.#shown = line;
    this.#stream.write(`\r${line}\u001b[K`);
  }

  clear(): void {
    if (this.#shown === "") return;
    this.#shown = "";
    this.#stream.write("\r\u001b[K");
  }

  /** A line that stays. */
  print(line: string): void {
    this.clear();
    this.#stream.write(`${line}\n`);
  }
}
