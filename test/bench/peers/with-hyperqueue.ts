import type { Bench } from "../bench.js";
import { HyperQueue } from "./hyperqueue.js";

/** HyperQueue is up while `use` runs, and gone when it is done, however; null when no binary was named. */
export async function withHyperQueue<Result>(
  bench: Bench,
  binary: string | null,
  workers: { readonly count: number; readonly cores: number },
  use: (queue: HyperQueue | null) => Promise<Result>,
  prefix: readonly string[] = [],
): Promise<Result> {
  if (binary === null) return use(null);
  const queue = await HyperQueue.start(bench, binary, workers, prefix);
  try {
    return await use(queue);
  } finally {
    await queue.stop();
  }
}
