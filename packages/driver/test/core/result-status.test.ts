import { describe, expect, it } from "vitest";
import { resultStatus } from "../../src/core/result-status.js";
import { row } from "../rows.js";

describe("the status of a result", () => {
  it("has disBatch's keys in their order, with raw numbers and text", () => {
    const status = resultStatus(
      row(7, {
        repeatIndex: 5,
        returnCode: -9,
        elapsed: 0.123456789,
        outBytes: 3,
        outSnippet: String.raw`'a\n\\'`,
        command: Buffer.from("echo é"),
      }),
    );
    expect(status).toBe(
      '{"Flags":"RO  ","TaskId":7,"TaskStreamIndex":8,"TaskRepIndex":5,"Host":"vm","PID":107,"ReturnCode":-9,' +
        '"Elapsed":0.123456789,"Start":1007,"End":1008.5,"OutBytes":3,"OutData":"a\\n\\\\","ErrBytes":0,"ErrData":"",' +
        '"TaskCmd":"echo é"}',
    );
  });

  it("shows a command that is no UTF-8 with replacement characters", () => {
    expect(resultStatus(row(0, { command: Buffer.from([0x61, 0xff]) }))).toContain('"TaskCmd":"a\ufffd"');
  });

  it("is given for tasks, also for those that an earlier run has done", () => {
    expect(resultStatus(row(0, { kind: "skipped" }))).toContain('"Flags":"   S"');
    for (const kind of ["perEngine", "zombie", "barrier", "checkBarrier"] as const)
      expect(resultStatus(row(0, { kind }))).toBeNull();
  });
});
