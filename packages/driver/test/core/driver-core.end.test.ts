import { describe, expect, it } from "vitest";
import { alice, cancelled, DriverRig, failure } from "./driver-rig.js";

describe("a drain", () => {
  it("publishes nothing more, offers nothing again, and records what ends", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.look();
    rig.task();
    rig.core.drain("Ctrl-C");
    expect(rig.look()).toEqual(["order drain"]);
    rig.report(alice, 0);
    rig.report(alice, 1, cancelled);
    expect(rig.look()).toEqual(["row task 0 0"]);
    rig.core.onNobodyLeft();
    expect(rig.core.reason).toEqual({ kind: "drained", signal: "Ctrl-C" });
    expect(rig.core.phase).toBe("ended");
  });

  it("does not pass a barrier any more", () => {
    const rig = new DriverRig();
    rig.task();
    rig.barrier(false, "k");
    rig.look();
    rig.core.drain("Ctrl-C");
    rig.report(alice, 0);
    expect(rig.look()).toEqual(["order drain", "row task 0 0"]);
  });

  it("records the late end of a task that was taken for lost meanwhile, as nobody else runs it", () => {
    const rig = new DriverRig();
    rig.task();
    rig.look();
    rig.core.drain("Ctrl-C");
    rig.lose([0, 1]);
    rig.report(alice, 0);
    expect(rig.look()).toEqual(["order drain", "row task 0 0"]);
    expect(rig.core.view.done).toBe(1);
  });

  it("becomes a stop when one is asked for, and not again", () => {
    const rig = new DriverRig();
    rig.core.drain("Ctrl-C");
    rig.core.stop({ kind: "stopped", signal: "Ctrl-C" });
    rig.core.drain("Ctrl-C");
    rig.core.stop({ kind: "broken", message: "x" });
    expect(rig.look()).toEqual(["order stop"]);
    expect(rig.core.reason).toEqual({ kind: "stopped", signal: "Ctrl-C" });
  });
});

describe("a stop", () => {
  it("keeps its first reason, records what ended all the same, and gives stopped tasks no row", () => {
    const rig = new DriverRig({ failFast: true });
    rig.tasks(3);
    rig.look();
    rig.core.stop({ kind: "stopped", signal: "SIGTERM" });
    rig.report(alice, 0, failure);
    rig.report(alice, 1, cancelled);
    expect(rig.look()).toEqual(["order stop", "row task 0 1"]);
    expect(rig.core.reason).toEqual({ kind: "stopped", signal: "SIGTERM" });
    rig.core.onNobodyLeft();
    expect(rig.core.reason).toEqual({ kind: "stopped", signal: "SIGTERM" });
    expect(rig.look()).toEqual([]);
  });
});

describe("when no context is left", () => {
  it("a run with tasks left has failed for want of engines", () => {
    const rig = new DriverRig();
    rig.task();
    rig.look();
    rig.lose([0, 1]);
    rig.core.noEngines("engine ended with signal SIGKILL");
    // Who joins this very moment must not start anything.
    expect(rig.look()).toEqual(["order stop"]);
    rig.core.onNobodyLeft();
    expect(rig.core.reason).toEqual({ kind: "noEngines", message: "engine ended with signal SIGKILL" });
    expect(rig.core.phase).toBe("ended");
    expect(rig.look()).toEqual([]);
  });
});

describe("bad input", () => {
  it("ends the run after what was read before it has ended", () => {
    const rig = new DriverRig();
    rig.tasks(2);
    rig.core.onBadInput("line 3: unknown directive", rig.now);
    expect(rig.core.wantsItems).toBe(false);
    expect(rig.look()).toEqual(["publish back 0 1"]);
    rig.report(alice, 0);
    rig.report(alice, 1, failure);
    expect(rig.look()).toEqual(["order drain", "row task 0 0", "row task 1 1"]);
    expect(rig.core.reason).toEqual({ kind: "badInput", message: "line 3: unknown directive" });
  });

  it("is what is told even when no engine is left to run what came before", () => {
    const rig = new DriverRig();
    rig.task();
    rig.core.onBadInput("line 2", rig.now);
    rig.core.onNobodyLeft();
    expect(rig.reason).toBe("badInput");
  });

  it("ends the run at once when nothing runs", () => {
    const rig = new DriverRig();
    rig.core.onBadInput("line 1", rig.now);
    expect(rig.look()).toEqual(["order drain"]);
    expect(rig.reason).toBe("badInput");
  });
});
