import type { Report, Task } from "@taskmuster/kvs/protocol";
import { attempt, taskId } from "@taskmuster/kvs/protocol";
import type { StatusRow } from "../../../packages/driver/src/core/status-line/index.js";
import { row } from "../../../packages/driver/test/core/status-line/rows.js";

/* Good values, from which seeds are encoded. */

export const tasks: readonly Task[] = [
  {
    id: taskId(0),
    attempt: attempt(1),
    line: 1,
    repeatIndex: -1,
    timeoutMs: null,
    command: Buffer.from("echo a"),
  },
  {
    id: taskId(1_000_000),
    attempt: attempt(3),
    line: 70_000,
    repeatIndex: 300,
    timeoutMs: 1500,
    command: Buffer.from([0xff, 0x09, 0x00, 0x27]),
  },
];

const none = new Uint8Array(0);
const silent = { out: { bytes: 0, snippet: none }, err: { bytes: 0, snippet: none }, lastWords: none };

export const reports: readonly Report[] = [
  {
    kind: "task",
    id: taskId(7),
    attempt: attempt(1),
    host: "node01",
    pid: 4321,
    outcome: { kind: "exited", code: 3 },
    start: 1_700_000_000.25,
    end: 1_700_000_001.5,
    elapsed: 1.2345,
    out: { bytes: 3, snippet: Buffer.from("a'b") },
    err: { bytes: 100, snippet: Buffer.from([0x61, 0xff, 0x0a, 0x09, 0xe2, 0x80, 0xa8]) },
    lastWords: Buffer.from("no such file\n"),
  },
  {
    kind: "stop",
    id: taskId(0),
    attempt: attempt(1),
    host: "h",
    pid: -1,
    outcome: { kind: "failedToStart", errno: 200 },
    start: 0,
    end: 0.0625,
    elapsed: 0,
    ...silent,
  },
  {
    kind: "start",
    id: taskId(1),
    attempt: attempt(2),
    host: "h.example.org",
    pid: 99,
    outcome: { kind: "signalled", signal: 9 },
    start: 5,
    end: 6,
    elapsed: 1,
    ...silent,
  },
];

/** What rows are made of. */
export const rowWords = ["\t", "''", "ROE ", "   P", "   Z", "B    ", "C    ", "\t-1\t", "0.000"];

export const rows: readonly StatusRow[] = [
  row(),
  row({ kind: "skipped", returnCode: -9, repeatIndex: 3, command: Buffer.from("\ta\tb\t") }),
  row({ kind: "perEngine", outBytes: 6, outSnippet: "'a\\'\"b\\n'", errBytes: 1, errSnippet: '"\'"' }),
  row({ kind: "zombie", command: Buffer.from([0xff, 0x27, 0x22]) }),
  row({ kind: "barrier", command: Buffer.from("#DISBATCH BARRIER") }),
  row({ kind: "checkBarrier", command: Buffer.from("#DISBATCH BARRIER CHECK é") }),
  row({ errBytes: 9, errSnippet: "'\\u2028\\xa0\\U000e0001é'", command: Buffer.from("b'\\xff'") }),
];
