import { findTree, killTree, signalProcesses } from "./process-tree.js";

/** Who ends a task: an order of the engine, its time being up, the fence (or the launcher's own end), or the guardian's death. */
export type StopCause = "order" | "timeout" | "fence" | "failure";

/** What is to be stopped: a shell, the leader of its session. */
export interface Shell {
  readonly pid: number;
  /** Null while it lives. */
  readonly ended: object | null;
}

/** How often to look whether what is left of a tree has ended, once its shell has. */
const lookMs = 50;
/** Longest time from a shell's death to its parent's hearing of it. */
const exitEventMs = 1000;

/** The ladder of one tree: TERM, the grace, KILL until none is left. */
export class TreeStop {
  readonly #shell: Shell;
  readonly #mark: string;
  #killAtMs: number;
  #cause: StopCause;
  #signalled = false;
  /** Ends the current wait. */
  #wake: () => void = () => undefined;
  readonly done: Promise<void>;

  constructor(shell: Shell, mark: string, graceMs: number, cause: StopCause) {
    this.#shell = shell;
    this.#mark = mark;
    this.#killAtMs = performance.now() + graceMs;
    this.#cause = cause;
    this.done = this.#run();
  }

  get cause(): StopCause {
    return this.#cause;
  }

  /** Its shell was alive when it was signalled. */
  get signalled(): boolean {
    return this.#signalled;
  }

  hurry(graceMs: number, cause: StopCause): void {
    this.#killAtMs = Math.min(this.#killAtMs, performance.now() + graceMs);
    if (cause !== "order") this.#cause = cause;
    this.#wake();
  }

  shellEnded(): void {
    this.#wake();
  }

  async #run(): Promise<void> {
    const shell = this.#shell;
    const tree = { sessions: new Set([shell.pid]), mark: this.#mark };
    if (this.#killAtMs > performance.now()) {
      const members = await findTree(tree);
      this.#signalled = shell.ended === null;
      signalProcesses(members, "SIGTERM");
      // A stopped process must run to die of TERM.
      signalProcesses(members, "SIGCONT");
    }
    for (let empty = 0; performance.now() < this.#killAtMs && empty < 2;) {
      if (shell.ended !== null) empty = (await findTree(tree)).length === 0 ? empty + 1 : 0;
      const left = this.#killAtMs - performance.now();
      if (empty === 0) await this.#pause(shell.ended === null ? left : Math.min(left, lookMs));
    }
    if (shell.ended === null) this.#signalled = true;
    await killTree(tree);
    if (shell.ended === null) await this.#pause(exitEventMs);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
