import { attempt, decodeReport, encodeTask, taskId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { oneCore, queued, Rig } from "./rig.js";

describe("a task that cannot be read", () => {
  it.each([
    ["is no message", Buffer.from("?"), "malformed task: it is shorter than 28 bytes"],
    [
      "is another one than its element says",
      encodeTask({
        id: taskId(8),
        attempt: attempt(1),
        line: 9,
        repeatIndex: -1,
        timeoutMs: null,
        command: Buffer.from("true"),
      }),
      "malformed task: it is attempt 1 at task 8, not 1 at 1",
    ],
  ])("because it %s ends as one that could not be started, and those beside it run", (_, body, why) => {
    const rig = new Rig({ slots: 3 });
    rig.core.begin();
    rig.calls();
    const bad = { id: taskId(1), attempt: attempt(1), needs: oneCore, body };
    rig.answer({ tasks: [queued(0), bad, queued(2)] });
    expect(rig.calls()).toEqual([
      "enqueue 1: id 0: task 0",
      "enqueue 3: id 2: task 2",
      "exchange 2: reports 1 task 1 errno 74 ends 1; wants c1*1; idle 1",
    ]);
    const report = decodeReport(rig.request.reports[0]?.body ?? new Uint8Array(0));
    expect(report).toMatchObject({ pid: -1, start: 1_700_000_000, end: 1_700_000_000 });
    expect(Buffer.from(report.err.snippet).toString()).toBe(why);
    expect(rig.core.stats).toMatchObject({ busy: 2, failed: 1 });
  });
});
