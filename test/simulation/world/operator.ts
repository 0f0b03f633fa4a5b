import type { Plan } from "../plan.js";
import { ContextProcess } from "./context-process.js";
import type { DriverSpec } from "./driver-desk.js";
import { DriverProcess } from "./driver-process.js";
import type { ContextPlan } from "./sim-context.js";
import { type World, newHost } from "./world.js";

/**
 * The person whose list it is: starts the driver, adds resources, lets another driver take over when one has died (`--recover`), and goes on
 * with `-r` when a run has ended before its list.
 */
export class Operator {
  /** The last one that had the run. */
  driver: DriverProcess;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #all: DriverProcess[] = [];
  readonly #status: string[] = [];
  readonly #contexts: ContextProcess[] = [];
  /** Tries to take over, and has not yet. */
  #successor: DriverProcess | null = null;
  /** Recoveries that failed since the last one that did not. */
  #failed = 0;
  #starting = false;

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
    this.driver = this.#begin();
    for (const { atMs, context } of plan.added) world.clockwork.after(atMs, null, () => this.#add(context));
    this.#lookLater();
  }

  /** The list is done, and nobody is there any more. */
  get isDone(): boolean {
    return this.driver.reason === "finished" && this.#nobodyIsLeft;
  }

  /** How many there have been. */
  get drivers(): number {
    return this.#all.length;
  }

  /** Those that live: also one that was replaced and does not know it. */
  get living(): readonly DriverProcess[] {
    return this.#all.filter(({ process }) => !process.isDead);
  }

  /** A driver that hangs, or cannot be reached, is taken for dead. */
  replaceDriver(ms: number): void {
    const { random, clockwork } = this.#world;
    const { driver } = this;
    if (this.#successor !== null || driver.process.isDead || driver.run === null) return;
    const isStopped = random.oneIn(2);
    if (isStopped) driver.pause(ms);
    else driver.cut(ms);
    clockwork.after(random.int(2000), null, () => {
      if (!this.#starting && this.#successor === null && driver === this.driver && driver.reason === null)
        this.#recover(!(driver.process.isStopped || driver.process.isDead));
    });
  }

  get #nobodyIsLeft(): boolean {
    const { engines } = this.#world;
    return (
      engines.every((engine) => engine.isGone) &&
      this.#contexts.every(({ process }) => process.isDead) &&
      this.living.length === 0
    );
  }

  /** Its driver has died, and nobody has said how the run ended. */
  get #mayRecover(): boolean {
    const { reason, process, run } = this.driver;
    const hasDied = process.isDead && (reason === null || reason === "fenced");
    return this.#plan.recovers && hasDied && run !== null && this.#failed < mostFailed;
  }

  #lookLater(): void {
    this.#world.clockwork.after(500, null, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { clockwork, random } = this.#world;
    if (this.#successor?.process.isDead === true) {
      this.#successor = null;
      this.#failed++;
    }
    if (this.#starting || this.#successor !== null || this.driver.reason === "finished") return;
    if (this.#mayRecover) this.#soon(() => this.#recover(false));
    else if (this.driver.process.isDead) {
      // Whoever resumes waits until nothing of the run is left: nothing else keeps the old attempts from the new ones.
      if (this.#nobodyIsLeft) this.#soon(() => (this.driver = this.#begin()));
    } else if (clockwork.now > this.#plan.calmMs && this.#plan.serves && this.#noEnginesAreLeft) {
      this.#add({ kind: "ssh", slots: [1 + random.int(2)], limit: null });
    }
  }

  get #noEnginesAreLeft(): boolean {
    return (
      this.#world.engines.every((engine) => engine.isGone) &&
      this.#contexts.every(({ process }) => process.isDead)
    );
  }

  #soon(then: () => void): void {
    const { clockwork, random } = this.#world;
    this.#starting = true;
    clockwork.after(500 + random.int(3000), null, () => {
      this.#starting = false;
      if (this.#successor === null) then();
    });
  }

  #begin(): DriverProcess {
    const number = this.#all.length + 1;
    const resume = this.#status.filter((path) => this.#world.disk.exists(path));
    const prefix = `simulated${number}`;
    this.#failed = 0;
    const driver = this.#start({
      host: this.#world.login,
      prefix,
      resume,
      recovers: null,
      onBegun: () => undefined,
    });
    this.#status.push(driver.status);
    return driver;
  }

  /** `looks`: nobody can tell it whether the one of before is at work. */
  #recover(looks: boolean): void {
    const world = this.#world;
    const { prefix } = this.driver.spec;
    const host = looks || world.random.oneIn(2) ? newHost(world, "elsewhere") : world.login;
    const successor = this.#start({
      host,
      prefix,
      resume: [],
      recovers: { looks },
      onBegun: () => {
        this.driver = successor;
        this.#successor = null;
        this.#failed = 0;
      },
    });
    this.#successor = successor;
  }

  #start(spec: Omit<DriverSpec, "plan" | "contexts" | "number">): DriverProcess {
    const again = this.#all.length > 0;
    const local: ContextPlan = { kind: "local", slots: [2], limit: null };
    const contexts = again && !this.#plan.serves ? [local] : this.#plan.own;
    const number = this.#all.length + 1;
    const driver = new DriverProcess(this.#world, { ...spec, plan: this.#plan, contexts, number });
    this.#all.push(driver);
    return driver;
  }

  #add(context: ContextPlan): void {
    const { run, process } = this.driver;
    if (process.isDead || run === null) return;
    this.#world.say("operator", () => `adds a context ${context.kind} of ${context.slots.join("+")} slots`);
    const isOver = (): boolean => {
      const { driver } = this;
      if (driver.run !== run) return true;
      return driver.process.isDead && driver.reason !== null && !this.#mayRecover;
    };
    this.#contexts.push(new ContextProcess(this.#world, run, context, isOver));
  }
}

/** Then it is gone on with `-r`. */
const mostFailed = 4;
