import { encodeRunInfo, protocolVersion } from "@taskmuster/kvs/protocol";
import type { ReadyList, RunSpec } from "./start-run.js";

/** What engines get when they join. */
export function runInfoOf(spec: RunSpec, list: ReadyList): Uint8Array {
  return encodeRunInfo({
    version: protocolVersion,
    jobId: spec.files.jobId,
    nameTasks: list.source.name,
    cwd: spec.cwd,
    prefix: spec.files.prefix,
    leaseMs: spec.leaseMs,
    graceMs: spec.graceMs,
    perEngine: { start: [...list.perEngine.start], stop: [...list.perEngine.stop] },
    startMustSucceed: spec.startMustSucceed,
    defaults: spec.defaults,
  });
}
