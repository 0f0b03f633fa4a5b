/** What the driver can be asked to do by signals, softest first. */
export interface Stoppable {
  drain(signal: string): void;
  stop(signal: string): void;
  kill(): void;
}

/**
 * In an allocation its warnings (USR1, USR2: `sbatch --signal`) stop, too; elsewhere they mean nothing.
 * Ctrl-C drains, a second one stops, a third one kills. SIGTERM stops (nobody sends a second one), and so does SIGHUP, unless it
 * was ignored when we were started (`nohup`): Node itself forgets that, so `bin/driver` tells it.
 */
export class SignalHandling {
  #target: Stoppable | null = null;
  #interrupts = 0;
  #stopping = false;
  #held = false;
  #waiting: NodeJS.Signals | null = null;
  readonly #say: (message: string) => void;
  readonly #whileStarting: (signal: NodeJS.Signals) => void;

  /** `whileStarting`: what to do on a signal before there is a run to stop. */
  constructor(
    ignored: { readonly hangup: boolean; readonly warnings: boolean },
    say: (message: string) => void,
    whileStarting: (signal: NodeJS.Signals) => void,
  ) {
    this.#say = say;
    this.#whileStarting = whileStarting;
    process.on("SIGINT", () => this.#on("SIGINT"));
    process.on("SIGTERM", () => this.#on("SIGTERM"));
    process.on("SIGHUP", () => {
      if (!ignored.hangup) this.#on("SIGHUP");
    });
    for (const warning of ["SIGUSR1", "SIGUSR2"] as const) {
      process.on(warning, () => {
        if (!ignored.warnings) this.#on(warning);
      });
    }
  }

  /** From now on signals are kept until there is a target: something has been started that must be stopped in order. */
  hold(): void {
    this.#held = true;
    this.#target = null;
  }

  aim(target: Stoppable): void {
    this.#target = target;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting !== null) this.#on(waiting);
  }

  #on(signal: NodeJS.Signals): void {
    const target = this.#target;
    if (target === null) {
      // One is kept for when there is something to stop in order; who asks again does not want to wait for that.
      if (!this.#held || this.#waiting !== null) this.#whileStarting(signal);
      this.#waiting = signal;
      return;
    }
    if (signal === "SIGINT") this.#interrupts++;
    if (signal === "SIGINT" && this.#interrupts === 1 && !this.#stopping) {
      this.#say("Ctrl-C: finishing what runs, then ending. Press it again to stop.");
      target.drain("Ctrl-C");
    } else if (!this.#stopping) {
      this.#stopping = true;
      this.#say(`${signal === "SIGINT" ? "Ctrl-C" : signal}: stopping what runs.`);
      target.stop(signal === "SIGINT" ? "Ctrl-C" : signal);
    } else {
      this.#say("killing what runs.");
      target.kill();
    }
  }
}
