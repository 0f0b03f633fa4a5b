import { KvsError, MalformedMessageError } from "@taskmuster/kvs";
import { encodeReport, encodeTask, engineId, isEngineId, needsKey } from "@taskmuster/kvs/protocol";
import { pack, unpack } from "../../../packages/kvs/src/protocol/codec.js";
import {
  packTasks,
  parseClaims,
  parseReportsElement,
  parseTaskElement,
  reportsElement,
  taskElement,
} from "../../../packages/kvs/src/redis/element.js";
import { unpackElements } from "../../../packages/kvs/src/redis/packed.js";
import { checkServerInfo, parseServerInfo } from "../../../packages/kvs/src/redis/server-info.js";
import { parseSnapshot } from "../../../packages/kvs/src/redis/snapshot.js";
import { type Target, must, mustEqual, unlessRefused } from "../target.js";
import { reshapeMessage } from "./reshape.js";
import { reports, tasks } from "./samples.js";

const engine = engineId("abcdefgh12345678");
const queued = [needsKey({ cores: 1 }), needsKey({ cores: 0.5 })].flatMap((needs) =>
  tasks.map((task) => ({ id: task.id, attempt: task.attempt, needs, body: encodeTask(task) })),
);
const numbered = reports.map((report, index) => ({
  number: 7 + index,
  ends: null,
  body: encodeReport(report),
}));

function count(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

const elementWords = [
  "c1 ",
  "c0.5 ",
  "c1e-7 ",
  "c1e21 ",
  "0:1:",
  ":",
  "::",
  " ",
  "7:1 8:2",
  "abcdefgh12345678:1:2:",
];

/** What stands in queues and among claims. */
export const taskElements: Target = {
  name: "task-element",
  seeds: () => queued.map((task) => taskElement(task)),
  words: elementWords,
  mostBytes: 4_096,
  check: (bytes) => {
    const task = unlessRefused(MalformedMessageError, () => parseTaskElement(bytes));
    if (task === undefined) return;
    must(count(task.id) && count(task.attempt), "an element that is read names a task and an attempt");
    // What a store gave, a store must take.
    const written = taskElement(task);
    mustEqual(parseTaskElement(written), task, "an element that was written again");
  },
};

/** Many of them in one. */
export const packedElements: Target = {
  name: "packed-elements",
  seeds: () => [packTasks(queued), packTasks([]), pack([Buffer.from("a"), "b".repeat(40), "c".repeat(300)])],
  mostBytes: 16_384,
  check: (bytes) => {
    const elements = unlessRefused(MalformedMessageError, () => unpackElements(bytes));
    const total = (elements ?? []).reduce((sum, element) => sum + element.length, 0);
    must(total <= bytes.length, "the parts are not more than the whole");
  },
};

/** What the expelled engine had claimed, as the script answers it. */
export const claimTexts: Target = {
  name: "claims",
  seeds: () => [Buffer.from("0:1"), Buffer.from("7:1 8:2 1000000:3"), Buffer.alloc(0)],
  words: elementWords,
  mostBytes: 4_096,
  check: (bytes) => {
    const claims = unlessRefused(MalformedMessageError, () => parseClaims(bytes.toString("utf8")));
    for (const claim of claims ?? [])
      must(count(claim.id) && count(claim.attempt), "a claim that is read names a task and an attempt");
  },
};

/** The reports of one exchange. */
export const reportElements: Target = {
  name: "report-element",
  seeds: () => [
    reportsElement(engine, numbered),
    ...numbered.map((report) => reportsElement(engine, [report])),
  ],
  words: elementWords,
  mostBytes: 4_096,
  check: (bytes) => {
    const read = unlessRefused(MalformedMessageError, () => parseReportsElement(bytes));
    if (read === undefined) return;
    must(
      read.every((report) => isEngineId(report.engine) && count(report.number)),
      "an element that is read names engine and reports",
    );
    const [first] = read;
    if (first === undefined) return;
    const written = reportsElement(
      first.engine,
      read.map(({ number, body }) => ({ number, ends: null, body })),
    );
    mustEqual(parseReportsElement(written), read, "an element that was written again");
  },
};

const empty = Buffer.alloc(0);
const sample = [
  3,
  17,
  40,
  2,
  0,
  Buffer.from("state"),
  [[Buffer.from("J1"), 0, Buffer.from("info"), 1, -1]],
  [
    [Buffer.from(engine), Buffer.from("J1"), 0, empty, 5, empty, 2, 0, Buffer.from("member"), empty],
    [
      Buffer.from(engine),
      Buffer.from("J1"),
      1,
      empty,
      6,
      empty,
      0,
      2,
      Buffer.from("left"),
      Buffer.from("idle"),
    ],
  ],
];

/** The input is msgpack only to say which answer is meant. */
export const snapshots: Target = {
  name: "snapshot",
  seeds: () => [pack(sample), pack([])],
  reshape: reshapeMessage,
  mostBytes: 4_096,
  check: (bytes) => {
    const reply = unlessRefused(MalformedMessageError, () => ({ value: unpack("input", bytes) }));
    if (reply === undefined) return;
    const snapshot = unlessRefused(MalformedMessageError, () => parseSnapshot(reply.value));
    for (const each of snapshot?.engines ?? []) must(isEngineId(each.engine), "an engine has an id");
  },
};

const info = [
  "# Server",
  "redis_version:7.0.15",
  `run_id:${"0123456789".repeat(4)}`,
  "# Memory",
  "maxmemory_policy:noeviction",
  "role:master",
  "loading:0",
  "",
].join("\r\n");

export const serverInfo: Target = {
  name: "server-info",
  seeds: () => [Buffer.from(info), Buffer.from(`${info}valkey_version:8.1.0\r\n`)],
  words: [
    "\r\n",
    "redis_version:",
    "run_id:",
    "maxmemory_policy:allkeys-lru",
    "role:slave",
    "loading:1",
    ":",
    "#",
  ],
  mostBytes: 16_384,
  check: (bytes) => {
    const read = unlessRefused(KvsError, () => parseServerInfo(bytes.toString("utf8")));
    if (read !== undefined) unlessRefused(KvsError, () => ({ checked: checkServerInfo(read) }));
  },
};
