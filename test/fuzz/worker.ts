import { parentPort, workerData } from "node:worker_threads";
import type { Failure } from "./attempt.js";
import { Blackboard } from "./blackboard.js";
import { BlockCoverage } from "./coverage.js";
import { Fuzzer } from "./fuzzer.js";
import { shrink } from "./shrink.js";
import { targetNamed } from "./target-list.js";

export interface WorkerTask {
  readonly target: string;
  readonly seed: string;
  readonly seconds: number;
  /** Ends with the first failure. */
  readonly first: boolean;
  readonly blackboard: SharedArrayBuffer;
}

/** `found`: one for each kind of failure, shrunk. `done`: the last word. */
export type WorkerMessage =
  | {
      readonly kind: "found";
      readonly input: Uint8Array;
      readonly message: string;
      readonly signature: string;
      readonly stack: string;
    }
  | { readonly kind: "done"; readonly runs: number; readonly kept: number };

/** Fuzzes one target for some time; what it finds it posts to whoever started this thread. */
export async function work(): Promise<void> {
  const { target: name, seed, seconds, first, blackboard } = workerData as WorkerTask;
  const board = new Blackboard(blackboard);
  const target = targetNamed(name);
  const found = new Map<string, { readonly input: Buffer; readonly failure: Failure }>();
  const fuzzer = new Fuzzer({
    target,
    seed,
    coverage: new BlockCoverage(),
    onTry: (input) => board.write(input),
    onFailure: (input, failure) => {
      if (!found.has(failure.signature)) found.set(failure.signature, { input, failure });
    },
  });
  const told = new Set<string>();
  const until = performance.now() + 1000 * seconds;
  const isEnough = (): boolean => performance.now() >= until || (first && told.size > 0);
  await fuzzer.trySeeds();
  do {
    await fuzzer.tryMutants();
    for (const [signature, { input, failure }] of found) {
      if (told.has(signature)) continue;
      told.add(signature);
      const shrunk = await shrink(target, input, failure, (each) => board.write(each));
      post({ kind: "found", input: shrunk.input, ...shrunk.failure });
    }
  } while (!isEnough());
  post({ kind: "done", runs: fuzzer.runs, kept: fuzzer.kept });
}

function post(message: WorkerMessage): void {
  parentPort?.postMessage(message, []);
}
