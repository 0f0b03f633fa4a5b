import * as z from "zod/mini";
import { lineSchema, pack, unpackAs } from "./codec.js";
import { protocolVersion } from "./version.js";

const engineInfoSchema = z.object({
  version: z.literal(protocolVersion),
  host: lineSchema,
  pid: z.int(),
  /** Tasks at a time. */
  slots: z.int(),
  cores: z.number(),
  /** When its allocation ends, in ms since 1970; null: nobody knows, or never. */
  endsAt: z.nullable(z.number()),
});

/** What an engine says of itself when it joins. */
export type EngineInfo = z.infer<typeof engineInfoSchema>;

const engineStatsSchema = z.object({
  /** `starting`: PERENGINE START runs. `draining`: takes nothing new. */
  state: z.enum(["starting", "running", "draining"]),
  /** Why it drains, when nobody ordered it to; else empty. */
  why: z.string(),
  /** What its node is out of, so that tasks cannot be started ("processes"); empty while it is not. */
  outOf: z.string(),
  /** So many tasks at a time it runs at most for that reason; 0: it cannot start even one. */
  usable: z.int(),
  busy: z.int(),
  done: z.int(),
  failed: z.int(),
});

/** What an engine says of itself with every renewal. */
export type EngineStats = z.infer<typeof engineStatsSchema>;

/** Many times what either of them has. */
const mostBytes = 64 * 1024;

export function encodeEngineInfo(info: EngineInfo): Buffer {
  return pack(info);
}

/** Throws `MalformedMessageError`. */
export function decodeEngineInfo(bytes: Uint8Array): EngineInfo {
  return unpackAs("engine info", engineInfoSchema, bytes, mostBytes);
}

export function encodeEngineStats(stats: EngineStats): Buffer {
  return pack(stats);
}

/** Throws `MalformedMessageError`. */
export function decodeEngineStats(bytes: Uint8Array): EngineStats {
  return unpackAs("engine stats", engineStatsSchema, bytes, mostBytes);
}
