import { KvsError, MalformedMessageError, TaskmusterError } from "@taskmuster/kvs";
import { type Report, decodeReport, encodeReport } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { resultStatus } from "../../../packages/driver/src/core/result-status.js";
import { scanLine } from "../../../packages/driver/src/core/resume-index.js";
import { formatRow, parseRow, rowOfReport } from "../../../packages/driver/src/core/status-line/index.js";
import { smtpServerOf } from "../../../packages/driver/src/notify/smtp-server.js";
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

/*
 * Found by the fuzzer and not mended yet: each of these must fail. One that does not any more is mended: move it to mended.test.ts, and
 * take it out of known.ts.
 */

const none = Buffer.alloc(0);

describe("the store's answers", () => {
  it.fails("reports of no engine are malformed", () => {
    expect(() => parseReportsElement(Buffer.from("JUST_NO_ID:1:0:"))).toThrow(MalformedMessageError);
  });

  it.fails("reports whose number is beyond all counting are malformed", () => {
    const element = `abcdefgh:${"9".repeat(400)}:0:`;
    expect(() => parseReportsElement(Buffer.from(element))).toThrow(MalformedMessageError);
  });

  it.fails("a task whose number is beyond all counting is malformed", () => {
    expect(() => parseTaskElement(Buffer.from(`c1 ${"9".repeat(400)}:1:`))).toThrow(MalformedMessageError);
  });

  it.fails("an element whose needs are larger than any is malformed, or can be read again", () => {
    const task = readOrRefused(() => parseTaskElement(Buffer.from(`c${"9".repeat(21)} 0:1:`)));
    if (task !== null) expect(parseTaskElement(taskElement(task))).toEqual(task);
  });

  it.fails.each(["x", "7", "7:", "7:1:1 8:NaN"])(
    "a list of claims without numbers is malformed: %j",
    (text) => {
      expect(() => parseClaims(text)).toThrow(MalformedMessageError);
    },
  );

  it.fails("an engine of a snapshot whose id is none is malformed", () => {
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

describe("addresses", () => {
  it.fails("a socket whose path has a broken escape is no address", () => {
    expect(() => parseEndpoint("unix:///tmp/100%")).toThrow(KvsError);
  });

  it.fails("a user whose name has a broken escape is a usage error", () => {
    expect(() => parseKvsServerOption("redis://50%@host:6379", {})).toThrow(TaskmusterError);
  });

  it.fails("a mail server whose password has a broken escape is a usage error", () => {
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

const [report] = reports as [Report, ...Report[]];

describe("the row of a report", () => {
  it.fails.each([
    ["a host with a line feed", { host: "a\nb" }],
    ["a host with a tab", { host: "a\tb" }],
    ["a time too long to be written with three decimals", { elapsed: 1e21 }],
  ] satisfies [string, Partial<Report>][])("is refused, or can be read again: %s", (_, wrong) => {
    const read = readOrRefused(() => decodeReport(encodeReport({ ...report, ...wrong })));
    if (read === null) return;
    const row = formatRow(
      rowOfReport(read, { line: 1, repeatIndex: -1, command: Buffer.from("true") }, "task"),
    );
    expect(row.indexOf("\n")).toBe(row.length - 1);
    expect(parseRow(row)).not.toBeNull();
  });
});

describe("a line of a status file", () => {
  const [first] = rows as [(typeof rows)[number]];

  it.fails("with a code point that is none is told to a program in some way", () => {
    const row = parseRow(formatRow({ ...first, errSnippet: "'\\U00110000'" }));
    expect(row === null ? null : resultStatus(row)).not.toBe("");
  });

  it.fails.each(["'\r'", "'\u2028'"])(
    "with a line break in a snippet is a row for the scan only if for all: %j",
    (snippet) => {
      const line = formatRow({ ...first, errSnippet: snippet }).subarray(0, -1);
      expect(scanLine(line).kind === "row").toBe(parseRow(line) !== null);
    },
  );
});

describe("frames from the launcher", () => {
  it.fails.each([
    ["hello", [0, 0, 0, 1, 0x48]],
    ["started", [0, 0, 0, 5, 0x42, 0, 0, 0, 7]],
    ["ended", [0, 0, 0, 2, 0x45, 0]],
  ])("that are too short are not understood: %s", (_, bytes) => {
    expect(() => new FrameReader().read(Buffer.from(bytes))).toThrow(LaunchError);
  });

  it.fails("that say that gigabytes follow are not waited for", () => {
    expect(() => new FrameReader().read(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x45]))).toThrow(LaunchError);
  });
});
