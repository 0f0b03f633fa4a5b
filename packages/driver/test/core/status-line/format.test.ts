import { taskId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { type StatusRow, formatRow, parseRow, statusHeader } from "../../../src/core/status-line/index.js";
import { row } from "./rows.js";

/** Lines that disBatch wrote, and the rows that they are. */
const real: readonly [name: string, line: string, row: StatusRow][] = [
  [
    "a success",
    "    \t0\t9\t-1\tvm\t28591\t0\t0.005\t1795205917.875\t1795205917.880\t0\t''\t0\t''\t( true ) ",
    row(),
  ],
  [
    "a PERENGINE command",
    "   P\t0\t3\t-1\tvm\t28421\t0\t1.007\t1795205915.848\t1795205916.854\t0\t''\t0\t''\t( echo startA >> pe.log ) ",
    row({
      kind: "perEngine",
      line: 3,
      pid: 28421,
      elapsed: 1.0068,
      start: 1795205915.8476,
      finish: 1795205916.8544,
      command: Buffer.from("( echo startA >> pe.log ) "),
    }),
  ],
  [
    "a killed task",
    "R   \t19\t30\t-1\tvm\t28655\t-9\t0.005\t1795205922.933\t1795205922.939\t0\t''\t0\t''\tkill -9 $$",
    row({
      id: taskId(19),
      line: 30,
      pid: 28655,
      returnCode: -9,
      start: 1795205922.933,
      finish: 1795205922.939,
      command: Buffer.from("kill -9 $$"),
    }),
  ],
  [
    "a task with output on both streams, a tab in its command and a REPEAT index",
    " OE \t17\t28\t5\tvm\t28647\t0\t1.006\t1795205921.925\t1795205922.931\t292\t'1\\n2'\t10\t\"it's\"\techo\ta",
    row({
      id: taskId(17),
      line: 28,
      repeatIndex: 5,
      pid: 28647,
      elapsed: 1.006,
      start: 1795205921.925,
      finish: 1795205922.931,
      outBytes: 292,
      outSnippet: "'1\\n2'",
      errBytes: 10,
      errSnippet: '"it\'s"',
      command: Buffer.from("echo\ta"),
    }),
  ],
  [
    "a barrier",
    "B    \t14\t22\t-1\tvm\t28374\t0\t0.005\t1795205921.914\t1795205921.919\t0\t''\t0\t''\t#DISBATCH BARRIER mykey",
    row({
      kind: "barrier",
      id: taskId(14),
      line: 22,
      pid: 28374,
      start: 1795205921.914,
      finish: 1795205921.919,
      command: Buffer.from("#DISBATCH BARRIER mykey"),
    }),
  ],
  [
    "a check barrier",
    "C    \t22\t33\t-1\tvm\t28374\t0\t1.003\t1795205922.941\t1795205923.944\t0\t''\t0\t''\t#DISBATCH BARRIER CHECK",
    row({
      kind: "checkBarrier",
      id: taskId(22),
      line: 33,
      pid: 28374,
      elapsed: 1.003,
      start: 1795205922.941,
      finish: 1795205923.944,
      command: Buffer.from("#DISBATCH BARRIER CHECK"),
    }),
  ],
  [
    "a failed task that a resumed run skipped",
    "R  S\t1\t2\t-1\tvm\t21497\t5\t0.005\t1795206981.689\t1795206981.694\t0\t''\t0\t''\texit 5",
    row({
      kind: "skipped",
      id: taskId(1),
      line: 2,
      pid: 21497,
      returnCode: 5,
      start: 1795206981.689,
      finish: 1795206981.694,
      command: Buffer.from("exit 5"),
    }),
  ],
  [
    "a task given up",
    "R   \t0\t1\t-1\tvm\t-1\t-100\t0.000\t1795206612.345\t1795206612.345\t0\t''\t0\t''\tsleep 20; echo a",
    row({
      line: 1,
      pid: -1,
      returnCode: -100,
      elapsed: 0,
      start: 1795206612.345,
      finish: 1795206612.345,
      command: Buffer.from("sleep 20; echo a"),
    }),
  ],
  [
    "a late end of a task given up",
    "   Z\t0\t1\t-1\tvm\t29191\t0\t165.086\t1795207661.551\t1795207826.637\t0\t''\t0\t''\tsleep 5",
    row({
      kind: "zombie",
      line: 1,
      pid: 29191,
      elapsed: 165.086,
      start: 1795207661.551,
      finish: 1795207826.637,
      command: Buffer.from("sleep 5"),
    }),
  ],
  [
    "a command that is no UTF-8",
    " O  \t0\t1\t-1\tvm\t4697\t0\t0.007\t1795206508.068\t1795206508.075\t8\t'caf\ufffd \ufffd\ufffd\\n'\t0\t''\tb'echo caf\\xe9 \\xff\\xfe'",
    row({
      line: 1,
      pid: 4697,
      elapsed: 0.007,
      start: 1795206508.068,
      finish: 1795206508.075,
      outBytes: 8,
      outSnippet: "'caf\ufffd \ufffd\ufffd\\n'",
      command: Buffer.from("echo caf\xe9 \xff\xfe", "latin1"),
    }),
  ],
];

describe("formatRow", () => {
  it.each(real)("writes %s as disBatch does", (_name, line, { ...given }) => {
    expect(formatRow(given).toString()).toBe(`${line}\n`);
  });

  it("sets the flags from what the row says", () => {
    const flags = (changes: Partial<StatusRow>): string => formatRow(row(changes)).toString().slice(0, 4);
    expect(flags({ returnCode: 1, outBytes: 1, errBytes: 1 })).toBe("ROE ");
    expect(flags({ outBytes: 1, kind: "perEngine" })).toBe(" O P");
    expect(flags({ returnCode: -15, errBytes: 1, kind: "timedOut" })).toBe("R ET");
    expect(flags({ errBytes: 1, kind: "skipped" })).toBe("  ES");
    expect(flags({ returnCode: -15, kind: "zombie" })).toBe("R  Z");
  });

  it("writes a name of a node and a command that are not ASCII as UTF-8", () => {
    const line = formatRow(row({ node: "knö", command: Buffer.from("echo é 😀") })).toString();
    expect(line).toContain("\tknö\t");
    expect(line.endsWith("\techo é 😀\n")).toBe(true);
  });

  it("keeps a byte order mark and NUL bytes of a command", () => {
    const command = Buffer.from("\ufeffecho a\0b");
    expect(formatRow(row({ command })).includes(command)).toBe(true);
  });
});

describe("statusHeader", () => {
  it("is disBatch's", () => {
    expect(statusHeader).toBe(
      "ROE[ PSZ]\tTaskID\tLineNum\tRepeatIndex\tNode\tPID\tReturnCode\tElapsed\tStart\tFinish\tBytesOfLeakedOutput\tOutputSnippet\tBytesOfLeakedError\tErrorSnippet\tCommand",
    );
  });

  it("is no row", () => {
    expect(parseRow(Buffer.from(statusHeader))).toBeNull();
  });
});
