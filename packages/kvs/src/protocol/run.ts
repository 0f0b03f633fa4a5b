import * as z from "zod/mini";
import { pack, unpackAs } from "./codec.js";
import { protocolVersion } from "./version.js";

const bytesSchema = z.custom<Uint8Array>((value) => value instanceof Uint8Array);
const perEngineCommandSchema = z.object({ line: z.int(), command: bytesSchema });

const runInfoSchema = z.object({
  version: z.literal(protocolVersion),
  /** `DISBATCH_JOBID`: the last part of the prefix. */
  jobId: z.string(),
  /** `DISBATCH_NAMETASKS`: the last part of the task file's name. */
  nameTasks: z.string(),
  /** Absolute path in which tasks run. */
  cwd: z.string(),
  /** Absolute prefix of the run's files. */
  prefix: z.string(),
  /** An engine that has not renewed for so long is taken for lost. */
  leaseMs: z.int(),
  /** From TERM to KILL when a task is stopped. */
  graceMs: z.int(),
  perEngine: z.object({
    start: z.array(perEngineCommandSchema),
    stop: z.array(perEngineCommandSchema),
  }),
  /** An engine one of whose START commands fails leaves without having claimed anything (`--start-must-succeed`). */
  startMustSucceed: z.boolean(),
  /** What contexts take that are not told otherwise when they are added. */
  defaults: z.object({
    /** `-c`; null: 1, or what Slurm was told. */
    cpusPerTask: z.nullable(z.number()),
    /** `-t`; null: as many as fit. */
    tasksPerNode: z.nullable(z.int()),
    /** `-E`: names of variables that hold lists, an item for each slot. */
    envResources: z.array(z.string()),
    /** An engine that has had nothing to do for so long leaves; null: it stays. */
    idleTimeoutMs: z.nullable(z.int()),
    launcher: z.enum(["auto", "perl", "node", "noop"]),
    logLevel: z.string(),
  }),
});

/** What every engine is told when it joins. */
export type RunInfo = z.infer<typeof runInfoSchema>;
export type PerEngineCommand = z.infer<typeof perEngineCommandSchema>;

/** It holds the PERENGINE commands. */
const mostBytes = 64 * 1024 * 1024;

export function encodeRunInfo(info: RunInfo): Buffer {
  return pack(info);
}

/** Throws `MalformedMessageError`, also when the version differs. */
export function decodeRunInfo(bytes: Uint8Array): RunInfo {
  return unpackAs("run info", runInfoSchema, bytes, mostBytes);
}
