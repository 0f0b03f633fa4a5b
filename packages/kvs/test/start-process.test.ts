import { spawn } from "node:child_process";
import { once } from "node:events";
import { killProcess, startProcess } from "@taskmuster/kvs";
import { describe, expect, it, vi } from "vitest";

describe("a process that could not be started", () => {
  it("is sent no signal, which our own process group would get", async () => {
    const child = spawn("/no/such/program");
    const kill = vi.spyOn(child, "kill").mockReturnValue(true);
    killProcess(child, "SIGKILL");
    await once(child, "error");
    killProcess(child, "SIGKILL");
    expect(kill).not.toHaveBeenCalled();
  });

  it("says so by an event where there is no such program", async () => {
    const child = startProcess("/no/such/program", [], { stdio: "ignore" });
    expect(await once(child, "error")).toMatchObject([{ code: "ENOENT" }]);
  });
});

describe("a process that was started", () => {
  it("is sent the signal", async () => {
    const child = startProcess("sleep", ["600"], { stdio: "ignore" });
    killProcess(child, "SIGTERM");
    expect(await once(child, "exit")).toEqual([null, "SIGTERM"]);
  });
});
