import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { KvsError, MalformedMessageError, TaskmusterError } from "@taskmuster/kvs";
import { type Report, decodeReport, encodeReport } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { parseStatus } from "../../../packages/cli/src/embedding/driver-lines.js";
import { readRunEnd } from "../../../packages/cli/src/monitor/run-end.js";
import { resultStatus } from "../../../packages/driver/src/core/result-status.js";
import { scanLine } from "../../../packages/driver/test/scan-line.js";
import { formatRow, parseRow, rowOfReport } from "../../../packages/driver/src/core/status-line/index.js";
import { smtpServerOf } from "../../../packages/driver/src/notify/smtp-server.js";
import { allocationEndsAt } from "../../../packages/engine/src/core/allocation-end.js";
import { parseCpuList } from "../../../packages/engine/src/core/cpu-list.js";
import { expandSlurmHostList } from "../../../packages/engine/src/core/slurm-host-list.js";
import { LaunchError } from "../../../packages/engine/src/launcher/launch-error.js";
import { FrameReader } from "../../../packages/engine/src/launcher/perl-frames.js";
import { parseEndpoint } from "../../../packages/kvs/src/address.js";
import {
  parseClaims,
  parseReportsElement,
  parseTaskElement,
  taskElement,
} from "../../../packages/kvs/src/redis/element.js";
import { parseSnapshot } from "../../../packages/kvs/src/redis/snapshot.js";
import { parseKvsServerOption } from "../../../packages/kvs/src/server/parse-option.js";
import { reports, rows } from "../targets/samples.js";

/* Found by the fuzzer, and mended. */

const none = Buffer.alloc(0);
const [report] = reports as [Report, ...Report[]];

describe("a Slurm host list", () => {
  it.each([
    ["a name that needs quoting, inside of brackets", "n[$(id)[1]]"],
    ["what looks like an option, behind what does not", "[1,-o[2]]"],
    ["brackets in brackets, deeper than the stack", `n${"[1,".repeat(20_000)}`],
    ["brackets in a row, each of which costs as much as all hosts", `n[1-65536]${"[1]".repeat(20_000)}`],
    ["a name longer than any", `n${"x".repeat(300)}`],
  ])("with %s is refused, and it is said why in few words", (_, list) => {
    const expansion = expandSlurmHostList(list);
    expect(expansion.kind).toBe("bad");
    expect(expansion.kind === "bad" ? expansion.why.length : 0).toBeLessThan(300);
  });

  it("that is not a range of numbers is not repeated whole", () => {
    const expansion = expandSlurmHostList(`n[${"9".repeat(20_000)}]`);
    expect(expansion.kind === "bad" ? expansion.why.length : 0).toBeLessThan(300);
  });
});

describe("numbers of the system", () => {
  it("an allocation does not end at a time that no message can carry", () => {
    expect(allocationEndsAt("9".repeat(400), 0)).toBeNull();
  });

  it("a list of CPUs is not longer than any machine has", () => {
    expect(parseCpuList("0-99999,".repeat(2_000).slice(0, -1))).toEqual([]);
  });
});

describe("what a program that embeds a run reads", () => {
  it.each(["{", "nonsense", '{"TaskId":1e999,"ReturnCode":0}'])("is no status, and no error: %j", (text) => {
    expect(parseStatus(text)).toBeNull();
  });
});

describe("the end of a ledger", () => {
  it.each(["1e999", "-1", "0.5"])("does not tell of %s tasks", async (done) => {
    const directory = await mkdtemp(path.join(tmpdir(), "taskmuster-fuzz-"));
    try {
      const prefix = path.join(directory, "run");
      await writeFile(`${prefix}_ledger`, `{"kind":"end","at":"","reason":"finished","done":${done}}\n`);
      expect(await readRunEnd(prefix)).toEqual({ reason: "finished", done: null });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe("the store's answers", () => {
  it.each([":1:1:\0\0\0\0", "abcdefgh:1::", "abcdefgh:0x1:1:\0\0\0\0", "abcdefgh:-2:1:\0\0\0\0", "::"])(
    "reports without engine or numbers are malformed: %j",
    (element) => {
      expect(() => parseReportsElement(Buffer.from(element))).toThrow(MalformedMessageError);
    },
  );

  it.each(["c1 x:1:", "c1 :1:", "c1 7::", "c1 -1:1:", "c1 0.5:1:", "7:1:", "c1"])(
    "an element of a queue without needs or numbers is malformed: %j",
    (element) => {
      expect(() => parseTaskElement(Buffer.from(element))).toThrow(MalformedMessageError);
    },
  );

  it("reports of no engine are malformed", () => {
    expect(() => parseReportsElement(Buffer.from("JUST_NO_ID:1:0:"))).toThrow(MalformedMessageError);
  });

  it("reports whose number is beyond all counting are malformed", () => {
    const element = `abcdefgh:${"9".repeat(400)}:0:`;
    expect(() => parseReportsElement(Buffer.from(element))).toThrow(MalformedMessageError);
  });

  it("a task whose number is beyond all counting is malformed", () => {
    expect(() => parseTaskElement(Buffer.from(`c1 ${"9".repeat(400)}:1:`))).toThrow(MalformedMessageError);
  });

  it("an element whose needs are larger than any is malformed, or can be read again", () => {
    const task = readOrRefused(() => parseTaskElement(Buffer.from(`c${"9".repeat(21)} 0:1:`)));
    if (task !== null) expect(parseTaskElement(taskElement(task))).toEqual(task);
  });

  it.each(["x", "7", "7:", "7:1:1 8:NaN"])("a list of claims without numbers is malformed: %j", (text) => {
    expect(() => parseClaims(text)).toThrow(MalformedMessageError);
  });

  it("an engine of a snapshot whose id is none is malformed", () => {
    const engine = [
      Buffer.from("NO ID"),
      Buffer.from("J1"),
      0,
      none,
      0,
      none,
      0,
      0,
      Buffer.from("member"),
      none,
    ];
    expect(() => parseSnapshot([1, 1, 0, 0, 0, none, [], [engine]])).toThrow(MalformedMessageError);
  });
});

describe("a report", () => {
  it.each([
    ["start", Number.NaN],
    ["end", Number.POSITIVE_INFINITY],
    ["elapsed", Number.NEGATIVE_INFINITY],
  ])("whose %s is %s is malformed", (field, value) => {
    expect(() => decodeReport(encodeReport({ ...report, [field]: value }))).toThrow(MalformedMessageError);
  });
});

describe("addresses", () => {
  it("a socket whose path has a broken escape is no address", () => {
    expect(() => parseEndpoint("unix:///tmp/100%")).toThrow(KvsError);
  });

  it("a user whose name has a broken escape is a usage error", () => {
    expect(() => parseKvsServerOption("redis://50%@host:6379", {})).toThrow(TaskmusterError);
  });

  it("a mail server whose password has a broken escape is a usage error", () => {
    expect(() => smtpServerOf({ TASKMUSTER_SMTP: "smtp://me:50%@mail.example.org" })).toThrow(
      TaskmusterError,
    );
  });
});

/** Null: refused as it should be. */
function readOrRefused<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedMessageError);
    return null;
  }
}

describe("the row of a report", () => {
  it.each([
    ["a host with a line feed", { host: "a\nb" }],
    ["a host with a tab", { host: "a\tb" }],
    ["a time too long to be written with three decimals", { elapsed: 1e21 }],
    ["a time just before 1970", { start: -1e-9 }],
  ] satisfies [string, Partial<Report>][])("is refused, or can be read again: %s", (_, wrong) => {
    const read = readOrRefused(() => decodeReport(encodeReport({ ...report, ...wrong })));
    if (read === null) return;
    const row = formatRow(
      rowOfReport(read, { line: 1, repeatIndex: -1, command: Buffer.from("true") }, "task"),
    );
    expect(row.indexOf("\n")).toBe(row.length - 1);
    const again = parseRow(row);
    expect(again === null ? null : formatRow(again)).toEqual(row);
  });
});

describe("a line of a status file", () => {
  const [first] = rows as [(typeof rows)[number]];

  it("with a code point that is none is told to a program in some way", () => {
    const row = parseRow(formatRow({ ...first, errSnippet: "'\\U00110000'" }));
    expect(row === null ? null : resultStatus(row)).not.toBe("");
  });

  it.each(["'\r'", "'\u2028'"])(
    "with a line break in a snippet is a row for the scan only if for all: %j",
    (snippet) => {
      const line = formatRow({ ...first, errSnippet: snippet }).subarray(0, -1);
      expect(scanLine(line).kind === "row").toBe(parseRow(line) !== null);
    },
  );
});

describe("frames from the launcher", () => {
  it.each([
    ["hello", [0, 0, 0, 1, 0x48]],
    ["started", [0, 0, 0, 5, 0x42, 0, 0, 0, 7]],
    ["ended", [0, 0, 0, 2, 0x45, 0]],
  ])("that are too short are not understood: %s", (_, bytes) => {
    expect(() => new FrameReader().read(Buffer.from(bytes))).toThrow(LaunchError);
  });

  it("that say that gigabytes follow are not waited for", () => {
    expect(() => new FrameReader().read(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x45]))).toThrow(LaunchError);
  });
});
