import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { Blackboard } from "./blackboard.js";
import type { WorkerMessage, WorkerTask } from "./worker.js";

export interface Found {
  readonly target: string;
  readonly input: Buffer;
  readonly message: string;
  readonly signature: string;
  readonly stack: string;
}

export interface Watched {
  readonly target: string;
  readonly seed: string;
  readonly seconds: number;
  readonly first: boolean;
  readonly hangSeconds: number;
  readonly onFound: (found: Found) => void;
}

/** Of JavaScript's own memory: a parser that wants more ends its worker, and not us. */
const mostMegabytes = 512;
const lookMs = 100;
/** Before the first input it reads this program, and compiles. */
const startSeconds = 60;

/** Fuzzes one target in a thread of its own, which may hang or run out of memory. Answers what it did. */
export async function watch(options: Watched): Promise<{ readonly runs: number; readonly kept: number }> {
  const { target, seed, seconds, first, hangSeconds, onFound } = options;
  const board = new Blackboard();
  const workerData: WorkerTask = { target, seed, seconds, first, blackboard: board.shared };
  const worker = new Worker(process.argv[1] ?? "", {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: mostMegabytes },
  });
  let done = { runs: 0, kept: 0 };
  const worked = { isOver: false };
  const ended = new Promise<void>((resolve) => {
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "done") done = message;
      else onFound({ ...message, target, input: Buffer.from(message.input) });
    });
    worker.on("error", (error) => {
      onFound({ target, input: board.read(), ...endOfWorker(error) });
      done = { runs: board.count, kept: 0 };
    });
    worker.once("exit", () => {
      worked.isOver = true;
      resolve();
    });
  });
  let last = { count: -1, at: 0 };
  while (!worked.isOver) {
    await Promise.race([ended, sleep(lookMs)]);
    const now = performance.now();
    if (board.count !== last.count) last = { count: board.count, at: now };
    else if (!worked.isOver && now - last.at > 1000 * (board.count === 0 ? startSeconds : hangSeconds)) {
      const message = `hangs: no answer in ${hangSeconds} s`;
      onFound({ target, input: board.read(), message, signature: "hangs", stack: "" });
      done = { runs: board.count, kept: 0 };
      await worker.terminate();
    }
  }
  return done;
}

function endOfWorker(error: Error): Pick<Found, "message" | "signature" | "stack"> {
  const code = "code" in error ? String(error.code) : error.name;
  return {
    message: `ends its thread: ${error.message}`,
    signature: `ends its thread: ${code}`,
    stack: error.stack ?? "",
  };
}
