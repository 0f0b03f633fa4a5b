import type { Plan } from "../plan.js";
import { ContextProcess } from "./context-process.js";
import { DriverProcess } from "./driver-process.js";
import type { ContextPlan } from "./sim-context.js";
import type { World } from "./world.js";

/** The person whose list it is: starts the driver, adds resources, and goes on with `-r` when a run has ended before its list. */
export class Operator {
  driver: DriverProcess;
  readonly #world: World;
  readonly #plan: Plan;
  readonly #status: string[] = [];
  readonly #contexts: ContextProcess[] = [];
  #drivers = 0;
  #starting = false;

  constructor(world: World, plan: Plan) {
    this.#world = world;
    this.#plan = plan;
    this.driver = this.#start();
    for (const { atMs, context } of plan.added) world.clockwork.after(atMs, null, () => this.#add(context));
    this.#lookLater();
  }

  /** The list is done, and nobody is there any more. */
  get isDone(): boolean {
    return this.driver.reason === "finished" && this.#nobodyIsLeft;
  }

  /** Every driver that there has been. */
  get drivers(): number {
    return this.#drivers;
  }

  get #nobodyIsLeft(): boolean {
    const { engines } = this.#world;
    return engines.every((engine) => engine.isGone) && this.#contexts.every(({ process }) => process.isDead);
  }

  #lookLater(): void {
    this.#world.clockwork.after(500, null, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const { clockwork, random } = this.#world;
    if (this.#starting || this.driver.reason === "finished") return;
    if (this.driver.process.isDead) {
      // Whoever resumes waits until nothing of the run is left: nothing else keeps the old attempts from the new ones.
      if (!this.#nobodyIsLeft) return;
      this.#starting = true;
      clockwork.after(500 + random.int(3000), null, () => {
        this.#starting = false;
        this.driver = this.#start();
      });
    } else if (clockwork.now > this.#plan.calmMs && this.#plan.serves && this.#nobodyIsLeft) {
      this.#add({ kind: "ssh", slots: [2], limit: null });
    }
  }

  #start(): DriverProcess {
    const again = this.#drivers > 0;
    const local: ContextPlan = { kind: "local", slots: [2], limit: null };
    const own = again && !this.#plan.serves ? [local] : this.#plan.own;
    const resume = this.#status.filter((path) => this.#world.disk.exists(path));
    const driver = new DriverProcess(this.#world, {
      plan: this.#plan,
      contexts: own,
      number: ++this.#drivers,
      resume,
    });
    this.#status.push(driver.status);
    return driver;
  }

  #add(context: ContextPlan): void {
    const { driver } = this;
    if (driver.process.isDead) return;
    this.#world.say("operator", () => `adds a context ${context.kind} of ${context.slots.join("+")} slots`);
    this.#contexts.push(
      new ContextProcess(
        this.#world,
        driver.run,
        context,
        () => driver.process.isDead && driver.reason !== null,
      ),
    );
  }
}
