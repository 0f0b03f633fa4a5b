import * as z from "zod/mini";
import { pack, unpackAs } from "./codec.js";
import { protocolVersion } from "./version.js";

const bytesSchema = z.custom<Uint8Array>((value) => value instanceof Uint8Array);

const runStateSchema = z.object({
  version: z.literal(protocolVersion),
  /** Name of the list, prefix of the run's files, and where the driver runs. */
  name: z.string(),
  prefix: z.string(),
  host: z.string(),
  pid: z.int(),
  /** ms since 1970, by the driver's clock. */
  startedAt: z.number(),
  now: z.number(),
  /** Tasks in the list, barriers not counted; null for a stream. */
  total: z.nullable(z.int()),
  done: z.int(),
  failed: z.int(),
  /** Done by earlier runs (`-r`), and how many of these had failed. */
  skipped: z.int(),
  skippedFailed: z.int(),
  outstanding: z.int(),
  /** Attempts that were lost with their engine. */
  lost: z.int(),
  /** Attempts that failed and were not the last. */
  retried: z.int(),
  perEngineFailed: z.int(),
  /** Seconds, over all tasks that ended in this run. */
  taskSeconds: z.number(),
  /** Task id of the barrier that is waited at. */
  atBarrier: z.nullable(z.int()),
  phase: z.enum(["running", "draining", "stopping", "ended"]),
  /** Why it ends, in words; empty while it does not. */
  reason: z.string(),
  /** Why nothing new is handed out for now, in words; empty: it is. */
  held: z.string(),
  /** Waits for contexts for ever (`-S`). */
  serves: z.boolean(),
  /** Engines that the driver of its own accord told to leave, and why. */
  drained: z.array(z.object({ engine: z.string(), why: z.string() })),
  /** The newest failures, newest first. */
  failures: z.array(
    z.object({
      id: z.int(),
      line: z.int(),
      perEngine: z.boolean(),
      /** As in the status file: exit status, -signal, errno. */
      returnCode: z.int(),
      timedOut: z.boolean(),
      host: z.string(),
      /** Seconds since 1970 and seconds, by the engine's clock. */
      end: z.number(),
      elapsed: z.number(),
      /** First 200 bytes. */
      command: bytesSchema,
      /** Up to 400 last bytes of its standard error. */
      lastWords: bytesSchema,
    }),
  ),
});

/** How the run is doing, as its driver tells it once a second with its beat. */
export type RunState = z.infer<typeof runStateSchema>;

const mostBytes = 1024 * 1024;

export function encodeRunState(state: RunState): Buffer {
  return pack(state);
}

/** Throws `MalformedMessageError`. */
export function decodeRunState(bytes: Uint8Array): RunState {
  return unpackAs("run state", runStateSchema, bytes, mostBytes);
}
