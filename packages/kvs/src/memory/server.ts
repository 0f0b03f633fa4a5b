import { serverWasReplaced } from "../lost.js";
import type { RunId } from "../protocol/index.js";
import { Bells } from "./bells.js";
import type { Run } from "./run.js";

/** What a server held at some moment. */
export type SavedRuns = ReadonlyMap<RunId, Run>;

/** What a Redis server is to the other implementation: shared by all stores of a simulation, for any number of runs. */
export class MemoryServer {
  #life = 1;
  readonly runs = new Map<RunId, Run>();
  readonly bells = new Bells();

  /** Another number means that the server has forgotten everything in between. */
  get life(): number {
    return this.#life;
  }

  /** Amnesia: what a restart does. Stores from before throw `KvsLostError` from now on. */
  forget(): void {
    this.#life++;
    this.runs.clear();
    this.bells.forget(serverWasReplaced());
  }

  /** All that it holds now, to come back to. */
  snapshot(): SavedRuns {
    return structuredClone(this.runs);
  }

  /** A restart or failover with data of then. To its clients that is amnesia: what it holds counts for nothing. */
  restore(saved: SavedRuns): void {
    this.forget();
    for (const [id, run] of structuredClone(saved)) this.runs.set(id, run);
  }

  /** What `post` left under a key, for tests. */
  posted(run: RunId, key: string): readonly string[] {
    return this.runs.get(run)?.posted.get(key) ?? [];
  }
}
