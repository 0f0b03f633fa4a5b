import { MalformedMessageError } from "@taskmuster/kvs";
import * as protocol from "@taskmuster/kvs/protocol";
import { type Target, must, mustEqual, unlessRefused } from "../target.js";
import { reshapeMessage, reshapeWith } from "./reshape.js";
import { reports, tasks } from "./samples.js";

interface Codec<Message> {
  readonly encode: (message: Message) => Buffer;
  readonly decode: (bytes: Uint8Array) => Message;
  readonly samples: readonly Message[];
  /** Else numbers at fixed places. */
  readonly isMsgpack: boolean;
}

/** One message of the protocol: whatever bytes arrive, it is read or refused, and they leave nothing behind. */
function message<Message>(name: string, { encode, decode, samples, isMsgpack }: Codec<Message>): Target {
  const seeds = samples.map((sample) => encode(sample));
  const [good = Buffer.alloc(0)] = seeds;
  const goodMessage = JSON.stringify(decode(good));
  return {
    name: `message-${name}`,
    seeds: () => seeds,
    mostBytes: 16_384,
    reshape: isMsgpack ? reshapeMessage : reshapeWith(decode, encode),
    check: (bytes) => {
      const read = unlessRefused(MalformedMessageError, () => decode(bytes));
      if (read !== undefined) {
        const once = encode(read);
        const twice = encode(decode(once));
        must(once.equals(twice), "what was read is written the same way twice");
        mustEqual(decode(twice), decode(once), "what is read again");
      }
      must(JSON.stringify(decode(good)) === goodMessage, "the next message is read as ever");
      must(Object.keys(Object.prototype).length === 0, "objects are as they were");
    },
  };
}

const version = protocol.protocolVersion;

const contextInfo: protocol.ContextInfo = {
  version,
  kind: "slurm",
  host: "login",
  pid: 12,
  startedAt: 1_700_000_000_000,
  limit: null,
  nodes: [
    { host: "n1", slots: 4, state: "starting", why: "" },
    { host: "n2", slots: 0, state: "failed", why: "no such host" },
  ],
  ended: "",
};

const runInfo: protocol.RunInfo = {
  version,
  jobId: "tasks_disBatch_1",
  nameTasks: "tasks",
  cwd: "/home/me",
  prefix: "/home/me/tasks_disBatch_1",
  leaseMs: 300_000,
  graceMs: 3_000,
  perEngine: {
    start: [{ line: 1, command: Buffer.from("mkdir /tmp/x") }],
    stop: [{ line: 2, command: Buffer.from([0xff]) }],
  },
  startMustSucceed: false,
  defaults: {
    cpusPerTask: 0.5,
    tasksPerNode: null,
    envResources: ["GPUS"],
    idleTimeoutMs: 1000,
    launcher: "auto",
    logLevel: "info",
  },
};

const runState: protocol.RunState = {
  version,
  name: "tasks",
  prefix: "/home/me/tasks_disBatch_1",
  host: "login",
  pid: 12,
  startedAt: 1_700_000_000_000,
  now: 1_700_000_001_000,
  total: 100,
  done: 5,
  failed: 1,
  skipped: 0,
  skippedFailed: 0,
  outstanding: 3,
  lost: 0,
  retried: 0,
  perEngineFailed: 0,
  taskSeconds: 12.5,
  atBarrier: null,
  phase: "running",
  reason: "",
  held: "",
  serves: true,
  drained: [{ engine: "abcdefgh12345678", why: "out of processes" }],
  failures: [
    {
      id: 4,
      line: 5,
      perEngine: false,
      returnCode: -9,
      timedOut: false,
      host: "n1",
      end: 1_700_000_000.5,
      elapsed: 2,
      command: Buffer.from("false"),
      lastWords: Buffer.from("oh\n"),
    },
  ],
};

export const messages: readonly Target[] = [
  message("task", {
    encode: protocol.encodeTask,
    decode: protocol.decodeTask,
    samples: tasks,
    isMsgpack: false,
  }),
  message("report", {
    encode: protocol.encodeReport,
    decode: protocol.decodeReport,
    samples: reports,
    isMsgpack: false,
  }),
  message("context", {
    encode: protocol.encodeContextInfo,
    decode: protocol.decodeContextInfo,
    isMsgpack: true,
    samples: [contextInfo, { ...contextInfo, kind: "local", limit: 7, nodes: [], ended: "exit status 1" }],
  }),
  message("engine", {
    encode: protocol.encodeEngineInfo,
    decode: protocol.decodeEngineInfo,
    isMsgpack: true,
    samples: [
      { version, host: "n1", pid: 7, slots: 4, cores: 4, endsAt: null },
      { version, host: "n2", pid: 7, slots: 1, cores: 0.5, endsAt: 1_700_000_000_000 },
    ],
  }),
  message("engine-stats", {
    encode: protocol.encodeEngineStats,
    decode: protocol.decodeEngineStats,
    isMsgpack: true,
    samples: [
      {
        state: "draining",
        why: "the allocation ends",
        outOf: "processes",
        usable: 2,
        busy: 1,
        done: 20,
        failed: 3,
      },
    ],
  }),
  message("request", {
    encode: protocol.encodeRequest,
    decode: protocol.decodeRequest,
    isMsgpack: true,
    samples: [
      { kind: "order", version, scope: "context", name: "J1", wanted: "drain", by: "me@login" },
      { kind: "order", version, scope: "engine", name: "abcdefgh12345678", wanted: "stop", by: "me@login" },
      { kind: "dead", version, engine: "abcdefgh12345678", why: "the step ended" },
    ],
  }),
  message("run", {
    encode: protocol.encodeRunInfo,
    decode: protocol.decodeRunInfo,
    samples: [runInfo],
    isMsgpack: true,
  }),
  message("run-state", {
    encode: protocol.encodeRunState,
    decode: protocol.decodeRunState,
    isMsgpack: true,
    samples: [runState, { ...runState, total: null, atBarrier: 6, failures: [] }],
  }),
];
