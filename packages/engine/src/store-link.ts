import { setTimeout as delay } from "node:timers/promises";
import { type KvsStore, KvsClosedError, KvsLostError } from "@taskmuster/kvs";
import type { AnnounceAnswer, AnnounceRequest, JoinAnswer, JoinRequest } from "@taskmuster/kvs/protocol";
import type { AnnouncePart } from "./core/announcement.js";

export type Announced = Extract<AnnounceAnswer, { kind: "announced" }>;

export interface StoreLinkOptions {
  /** Connects anew, to whatever life of the server there is; keeps trying until `signal`. */
  readonly connect: (signal: AbortSignal) => Promise<KvsStore>;
  /** The server is this run's own: as long as it is there, so is the run. */
  readonly isPrivate: boolean;
}

export interface Member {
  readonly identity: Pick<AnnounceRequest, "engine" | "context" | "info" | "rank">;
  /** What is announced; asked again for each life of the store. */
  readonly announce: () => readonly AnnouncePart[];
  readonly onForgotten: (why: string) => void;
  readonly onAnnounced: (answer: Announced) => void;
  /** The store is lost for good, or an answer could not be dealt with. */
  readonly onError: (error: unknown) => void;
}

/**
 * An engine's way to its store, through all lives of that. When one is over, it connects to the next, waits until the driver has opened the run
 * there, and announces the engine.
 *
 *   linked ──(the store has forgotten)──> announcing ──> linked      any ──(lost for good)──> failed, or closed
 *
 * While it announces nothing may be asked; an answer of an earlier life never comes later than that.
 */
export class StoreLink {
  readonly #options: StoreLinkOptions;
  readonly #closing = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  #store: KvsStore;
  #member: Member | null = null;
  #announcing = false;
  #life = 1;

  constructor(store: KvsStore, options: StoreLinkOptions) {
    this.#store = store;
    this.#options = options;
  }

  /** Changes when the store forgets: what was begun before is over. */
  get life(): number {
    return this.#life;
  }

  /** A store that forgets meanwhile is asked again, in its next life. Throws as `KvsStore.join`. */
  async join(request: JoinRequest): Promise<JoinAnswer> {
    const started = performance.now();
    for (let patienceMs = this.#options.isPrivate ? reopenMs : 0; ;) {
      try {
        const answer = await this.#store.join(request);
        if (answer.kind === "joined" || performance.now() - started >= patienceMs) return answer;
        await delay(lookMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      } catch (error) {
        if (!isForgotten(error)) throw error;
        patienceMs = Infinity;
        await this.#next();
      }
    }
  }

  /** For what is said before it is a member, and once: a store that forgets is not asked again. */
  get current(): KvsStore {
    return this.#store;
  }

  /** From now on it announces itself to a store that has forgotten. */
  keep(member: Member): void {
    this.#member = member;
  }

  /** Resolves when `then` has had the answer, or there will be none. Does not reject. */
  async ask<Answer>(
    request: (store: KvsStore) => Promise<Answer>,
    then: (answer: Answer) => void = () => undefined,
  ): Promise<void> {
    if (this.#announcing) return;
    const asked = this.#ask(this.#store, request, then);
    this.#underWay.add(asked);
    await asked;
    this.#underWay.delete(asked);
  }

  /** Twice is fine. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#store.disconnect();
  }

  async #ask<Answer>(
    store: KvsStore,
    request: (store: KvsStore) => Promise<Answer>,
    then: (answer: Answer) => void,
  ): Promise<void> {
    try {
      then(await request(store));
    } catch (error) {
      const member = this.#member;
      if (this.#closing.signal.aborted || this.#announcing || store !== this.#store || member === null)
        return;
      if (!isForgotten(error)) return member.onError(error);
      this.#announcing = true;
      this.#life++;
      member.onForgotten(error.message);
      this.#comeBack(member, error).catch((reason: unknown) => {
        if (!(reason instanceof KvsClosedError && this.#closing.signal.aborted)) member.onError(reason);
      });
    }
  }

  async #comeBack(member: Member, loss: KvsLostError): Promise<void> {
    const over = loss.loss === "gone" ? performance.now() + reopenMs : Infinity;
    await this.#store.disconnect();
    // What the old life still answered is part of what is announced.
    await Promise.all(this.#underWay);
    for (;;) {
      await this.#next();
      try {
        const answer = await this.#announce(member, over);
        if (answer === null) throw loss;
        this.#announcing = false;
        return member.onAnnounced(answer);
      } catch (error) {
        if (error === loss || !isForgotten(error)) throw error;
      }
    }
  }

  /** Null: the run was not there until then. */
  async #announce({ identity, announce }: Member, over: number): Promise<Announced | null> {
    const parts = announce();
    for (;;) {
      const answer = await this.#announceParts(identity, parts);
      if (answer.kind === "announced") return answer;
      if (performance.now() > over) return null;
      // Its driver rings when it has opened the run again, if it knows of this engine.
      await this.#store.waitForBell(identity.engine, lookMs);
    }
  }

  async #announceParts(
    identity: Member["identity"],
    parts: readonly AnnouncePart[],
  ): Promise<AnnounceAnswer> {
    let answer: AnnounceAnswer = { kind: "noRun" };
    for (const part of parts) {
      answer = await this.#store.announce({ ...identity, ...part });
      if (answer.kind === "noRun") break;
    }
    return answer;
  }

  async #next(): Promise<void> {
    await this.#store.disconnect();
    const store = await this.#options.connect(this.#closing.signal);
    if (this.#closing.signal.aborted) {
      await store.disconnect();
      throw new KvsClosedError();
    }
    this.#store = store;
  }
}

function isForgotten(error: unknown): error is KvsLostError {
  return error instanceof KvsLostError && (error.loss === "forgotten" || error.loss === "gone");
}

const lookMs = 200;
/** A store that has lost the run and nothing else: a driver that is there opens it again within less. */
const reopenMs = 10_000;
