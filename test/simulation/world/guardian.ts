import type { Outcome } from "@taskmuster/kvs/protocol";
import { emptyDigest } from "../../../packages/engine/src/core/output-digest.js";
import type {
  LaunchPlace,
  LaunchRequest,
  LaunchResult,
} from "../../../packages/engine/src/launcher/launcher.js";
import { SlotQueue } from "../../../packages/engine/src/launcher/slot-queue.js";
import type { Happening } from "../time/agenda.js";
import type { SimProcess } from "../time/process.js";
import type { Place } from "../truth/truth.js";
import { Tree } from "./tree.js";
import type { World } from "./world.js";

export type Command =
  | { readonly kind: "slots"; readonly slots: readonly LaunchPlace[] }
  | { readonly kind: "launch" | "enqueue"; readonly request: LaunchRequest }
  | { readonly kind: "recall" }
  | { readonly kind: "stop"; readonly tag: number; readonly graceMs: number }
  | { readonly kind: "deadline"; readonly ms: number }
  /** The engine's end of the pipe is closed: by `close`, or by its death. */
  | { readonly kind: "end" };

export interface GuardianEvents {
  onEnds(results: readonly LaunchResult[]): void;
  onRecalled(tags: readonly number[]): void;
  onFenced(): void;
  onGone(): void;
}

/** The process beside an engine that has the slots and guards the trees: what the launchers' conformance suite says of them. */
export class Guardian {
  readonly #world: World;
  readonly #process: SimProcess;
  readonly #place: Place;
  readonly #tell: (what: (events: GuardianEvents) => void) => void;
  readonly #queue = new SlotQueue();
  readonly #trees = new Map<number, Tree>();
  #deadline: Happening | null = null;
  #state: "open" | "fenced" | "ending" = "open";

  constructor(
    world: World,
    process: SimProcess,
    place: Place,
    tell: (what: (events: GuardianEvents) => void) => void,
  ) {
    this.#world = world;
    this.#process = process;
    this.#place = place;
    this.#tell = tell;
    process.onDeath(() => {
      for (const tree of this.#trees.values()) tree.vanish();
    });
  }

  /** Trees that live. */
  get trees(): readonly Tree[] {
    return [...this.#trees.values()].filter((tree) => tree.isAlive);
  }

  on(command: Command): void {
    switch (command.kind) {
      case "slots":
        return this.#queue.setSlots(command.slots);
      case "launch":
        return this.#start(command.request, null);
      case "enqueue":
        if (this.#state !== "open") return this.#tellRecalled([command.request.tag]);
        this.#queue.add(command.request);
        return this.#fill();
      case "recall":
        return this.#tellRecalled(this.#queue.recall());
      case "stop":
        return this.#trees.get(command.tag)?.stop(command.graceMs);
      case "deadline":
        return this.#setDeadline(command.ms);
      case "end":
        return this.#end();
    }
  }

  #setDeadline(ms: number): void {
    if (this.#world.bug.guardianIgnoresDeadline === true) return;
    if (this.#state === "fenced") this.#state = "open";
    if (this.#deadline !== null) this.#deadline.cancelled = true;
    const span = this.#process.host.span(Math.max(0, ms));
    this.#deadline = this.#world.clockwork.after(span, this.#process, () => this.#fence(), true);
  }

  #fence(): void {
    if (this.#state !== "open") return;
    this.#state = "fenced";
    this.#world.say(this.#process.name, () => "the deadline has passed: kills all");
    this.#tellRecalled(this.#queue.recall());
    this.#killAll(() => this.#tell((events) => events.onFenced()));
  }

  #end(): void {
    if (this.#state === "ending") return;
    this.#state = "ending";
    this.#tellRecalled(this.#queue.recall());
    this.#killAll(() => {
      this.#tell((events) => events.onGone());
      this.#process.die();
    });
  }

  #killAll(then: () => void): void {
    for (const tree of this.#trees.values()) tree.kill();
    const look = (): void => {
      if (this.#trees.size > 0) this.#world.clockwork.after(1, this.#process, look);
      else then();
    };
    look();
  }

  #fill(): void {
    if (this.#state !== "open") return;
    for (let next = this.#queue.next(); next !== null; next = this.#queue.next())
      this.#start(next.request, Number(next.request.env["DISBATCH_TASKID"]));
  }

  #start(request: LaunchRequest, id: number | null): void {
    const { tag } = request;
    if (this.#state !== "open") return this.#tellEnd(tag, { kind: "lost" }, true, 0);
    const startedAt = this.#world.clockwork.now;
    const tree = new Tree(this.#world, { request, id, place: this.#place }, () => {
      // It is noticed when this process is at it.
      this.#world.clockwork.after(0.2, this.#process, () => {
        this.#trees.delete(tag);
        this.#queue.ended(tag);
        this.#fill();
        const fenced = this.#state !== "open" && tree.stopped;
        const outcome: Outcome = fenced ? { kind: "lost" } : tree.outcome;
        this.#tellEnd(tag, outcome, tree.stopped, this.#world.clockwork.now - startedAt);
      });
    });
    this.#trees.set(tag, tree);
  }

  #tellEnd(tag: number, outcome: Outcome, stopped: boolean, ms: number): void {
    const end = this.#process.host.wall(this.#world.clockwork.now) / 1000;
    const elapsed = ms / 1000;
    const nothing = { out: emptyDigest, err: emptyDigest, lastWords: emptyDigest.snippet };
    const result = { tag, outcome, stopped, pid: 1000 + tag, start: end - elapsed, end, elapsed, ...nothing };
    this.#tell((events) => events.onEnds([result]));
  }

  #tellRecalled(tags: readonly number[]): void {
    if (tags.length > 0) this.#tell((events) => events.onRecalled(tags));
  }
}
