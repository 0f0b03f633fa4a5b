import * as z from "zod/mini";
import { lineSchema, pack, unpackAs } from "./codec.js";
import { protocolVersion } from "./version.js";

const contextInfoSchema = z.object({
  version: z.literal(protocolVersion),
  kind: z.enum(["local", "ssh", "slurm"]),
  /** Where the process runs that starts its engines. */
  host: lineSchema,
  pid: z.int(),
  /** ms since 1970, by that host's clock. */
  startedAt: z.number(),
  /** Tasks that it may run in all (`-C`). */
  limit: z.nullable(z.int()),
  nodes: z.array(
    z.object({
      host: lineSchema,
      slots: z.int(),
      /** `failed`: its engine could not be started, or ended badly; `why` tells. */
      state: z.enum(["starting", "gone", "failed"]),
      why: z.string(),
    }),
  ),
  /** The process that started the engines has ended, and how; empty while it lives. */
  ended: z.string(),
});

/** What a context says of itself when it enrols, and again when something of that has changed. */
export type ContextInfo = z.infer<typeof contextInfoSchema>;

/** It tells of each of its nodes. */
const mostBytes = 16 * 1024 * 1024;

export function encodeContextInfo(info: ContextInfo): Buffer {
  return pack(info);
}

/** Throws `MalformedMessageError`. */
export function decodeContextInfo(bytes: Uint8Array): ContextInfo {
  return unpackAs("context info", contextInfoSchema, bytes, mostBytes);
}
