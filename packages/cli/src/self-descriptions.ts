import { MalformedMessageError } from "@taskmuster/kvs";
import {
  type ContextInfo,
  type EngineInfo,
  type EngineStats,
  type Task,
  decodeContextInfo,
  decodeEngineInfo,
  decodeEngineStats,
  decodeTask,
  protocolVersion,
} from "@taskmuster/kvs/protocol";

/*
 * What engines and contexts say of themselves, as people are shown it: one that cannot be understood, of another version perhaps, must
 * not hide all the others.
 */

/** Stands where a host's name would. */
const notUnderstood = "(not understood)";

export function engineInfoOf(bytes: Uint8Array): EngineInfo {
  return unlessMalformed(() => decodeEngineInfo(bytes), {
    version: protocolVersion,
    host: notUnderstood,
    pid: 0,
    slots: 0,
    cores: 0,
    endsAt: null,
  });
}

/** Null: it has not said anything yet, or nothing that is understood. */
export function engineStatsOf(bytes: Uint8Array): EngineStats | null {
  return bytes.length === 0 ? null : unlessMalformed(() => decodeEngineStats(bytes), null);
}

export function contextInfoOf(bytes: Uint8Array): ContextInfo {
  return unlessMalformed(() => decodeContextInfo(bytes), {
    version: protocolVersion,
    kind: "local",
    host: notUnderstood,
    pid: 0,
    startedAt: 0,
    limit: null,
    nodes: [],
    ended: "",
  });
}

/** Null: it is none. */
export function claimedTask(bytes: Uint8Array): Task | null {
  return unlessMalformed(() => decodeTask(bytes), null);
}

function unlessMalformed<Value>(decode: () => Value, otherwise: Value): Value {
  try {
    return decode();
  } catch (error) {
    if (error instanceof MalformedMessageError) return otherwise;
    throw error;
  }
}
