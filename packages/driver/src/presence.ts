import type { DriverCore } from "./core/driver-core.js";
import type { Members } from "./members.js";
import type { RunContext } from "./run-context.js";

export interface PresenceEvents {
  /** The core has something to say. */
  onNews(): void;
  /** A context of ours is gone, or nobody is left. */
  onGone(): void;
  onError(error: unknown): void;
}

/**
 * Knows when nobody is left: every context of ours is gone, and no engine, whoever started it, is a member any more. Whether that
 * ends the run depends: one that serves (`-S`) waits for others, any other run is told that it has no engines. The run is over when
 * it is so in a look that was taken after everybody who may come had been told to go.
 */
export class Presence {
  readonly #members: Members;
  readonly #core: DriverCore;
  readonly #serves: boolean;
  readonly #everyMs: number;
  readonly #events: PresenceEvents;
  readonly #closeDoor: () => Promise<void>;
  #doorClosed = false;
  readonly #contexts: readonly RunContext[];
  #contextsLeft: number;
  #lingerSince: number | null = null;
  #ordered = false;
  #nobodyLeft = false;
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #lookedAt = -Infinity;

  /** `everyMs`: how often somebody looks in any case. */
  constructor(
    parts: {
      readonly members: Members;
      readonly core: DriverCore;
      readonly contexts: readonly RunContext[];
      readonly serves: boolean;
      readonly everyMs: number;
      /** Lets nobody in any more. */
      readonly closeDoor: () => Promise<void>;
    },
    events: PresenceEvents,
  ) {
    this.#members = parts.members;
    this.#core = parts.core;
    this.#serves = parts.serves;
    this.#everyMs = parts.everyMs;
    this.#closeDoor = parts.closeDoor;
    this.#contexts = parts.contexts;
    this.#contextsLeft = parts.contexts.length;
    this.#events = events;
    for (const context of parts.contexts) {
      context.onEngineGone((engine, gone) => {
        parts.members.engineGone(engine, gone).catch((error: unknown) => events.onError(error));
      });
      void context.gone.then((end) => this.#onContextGone(context, end.ok ? "" : end.message));
    }
  }

  get contextsLeft(): number {
    return this.#contextsLeft;
  }

  /** All who ask are told to go. */
  get ordered(): boolean {
    return this.#ordered;
  }

  /** What has been reported is all that will be. */
  get nobodyLeft(): boolean {
    return this.#nobodyLeft;
  }

  /** From now on all who ask are told to go. */
  onOrdered(): void {
    this.#ordered = true;
    this.look();
  }

  /** The driver's bell rang, and an engine that joins or leaves rings it. */
  onBell(): void {
    // All that may be published is out: perhaps there are slots that nobody knows of yet.
    const wantsSlots = !this.#core.wantsItems && performance.now() - this.#lookedAt > newcomersMs;
    if (this.#ordered || wantsSlots || (this.#contextsLeft === 0 && !this.#serves)) this.look();
  }

  /** Looks who is there, as soon as the look that is under way is over. */
  look(): void {
    this.lookNow().catch((error: unknown) => this.#events.onError(error));
  }

  lookNow(): Promise<void> {
    this.#lookedAt = performance.now();
    this.#lookAgain = this.#looking !== null;
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = null;
      if (this.#lookAgain) this.look();
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<void> {
    if (this.#nobodyLeft) return;
    const toldToGo = this.#ordered;
    await this.#members.look(this.#everyMs);
    if (toldToGo && this.#contextsLeft > 0 && this.#members.present === 0) this.#killLingering();
    if (this.#contextsLeft > 0 || this.#members.present > 0) return;
    if (this.#core.phase === "running") {
      if (this.#serves) return;
      this.#core.noEngines(this.#members.lastMessage);
      this.#events.onNews();
    } else if (toldToGo && !this.#doorClosed) {
      // Somebody may have come in since: one more look, when nobody can any more.
      await this.#closeDoor();
      this.#doorClosed = true;
      await this.#lookOnce();
    } else if (toldToGo) {
      this.#nobodyLeft = true;
      this.#events.onGone();
    }
  }

  /** Everybody has left, but what started them has not ended: something hangs that will never join. */
  #killLingering(): void {
    this.#lingerSince ??= performance.now();
    if (performance.now() - this.#lingerSince < lingerMs) return;
    for (const context of this.#contexts) {
      for (const engine of context.engines)
        context.drop(engine, "it had not been heard of when the run was over");
    }
  }

  #onContextGone(context: RunContext, message: string): void {
    if (message !== "") this.#members.contextFailed(context.id, message);
    this.#contextsLeft--;
    this.#events.onGone();
    this.look();
  }
}

/** Longer than an engine takes to end after it has left. */
const lingerMs = 10_000;

/** Whoever joins waits no longer than this for the window to grow. */
const newcomersMs = 300;
