import { type RunInfo, protocolVersion } from "@taskmuster/kvs/protocol";

/** What engines are told of a run, with what a test wants otherwise. */
export function runInfo({ defaults, ...more }: RunInfoChanges = {}): RunInfo {
  return {
    version: protocolVersion,
    jobId: "job",
    nameTasks: "tasks",
    cwd: "/",
    prefix: "/run",
    leaseMs: 300_000,
    graceMs: 3000,
    perEngine: { start: [], stop: [] },
    startMustSucceed: false,
    ...more,
    defaults: {
      cpusPerTask: null,
      tasksPerNode: null,
      envResources: [],
      idleTimeoutMs: null,
      launcher: "auto",
      logLevel: "info",
      ...defaults,
    },
  };
}

interface RunInfoChanges extends Partial<Omit<RunInfo, "defaults">> {
  readonly defaults?: Partial<RunInfo["defaults"]>;
}
