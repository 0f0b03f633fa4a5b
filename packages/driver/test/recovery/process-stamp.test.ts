import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { processStamp, stateOfProcess } from "../../src/recovery/process-stamp.js";
import { until } from "../../../../test/e2e/harness.js";

describe("a process's stamp", () => {
  it("tells it from another one of the same number, and from one of another start of the machine", () => {
    const stamp = processStamp(process.pid);
    expect(stamp).not.toBe(null);
    if (stamp === null) return;
    expect(stateOfProcess(process.pid, stamp)).toBe("there");
    expect(stateOfProcess(process.pid, null)).toBe("there");
    expect(stateOfProcess(process.pid, { ...stamp, start: `${Number(stamp.start) + 1}` })).toBe("gone");
    expect(stateOfProcess(process.pid, { ...stamp, boot: "another" })).toBe("gone");
  });

  it("shows one that is stopped, and one that is dead", async () => {
    const child = spawn("sleep", ["60"]);
    const pid = child.pid ?? 0;
    expect(pid).toBeGreaterThan(1);
    const stamp = processStamp(pid);
    child.kill("SIGSTOP");
    await until("it is stopped", () => stateOfProcess(pid, stamp) === "stopped");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(stateOfProcess(pid, stamp)).toBe("gone");
    expect(processStamp(pid)).toBe(null);
  });

  it("never means all processes, or those of a group", () => {
    for (const pid of [-1, 0, 1]) expect(stateOfProcess(pid, null)).toBe("gone");
  });
});
