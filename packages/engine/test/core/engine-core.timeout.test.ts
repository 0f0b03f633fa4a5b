import { describe, expect, it } from "vitest";
import { queued, Rig } from "./rig.js";

const timedOut = { kind: "timedOut", signal: 15 } as const;

function rigWith(options: ConstructorParameters<typeof Rig>[0]): Rig {
  const rig = new Rig(options);
  rig.core.begin();
  rig.calls();
  rig.answer({ tasks: [queued(0, "one", 1, 1500), queued(1, "two")] });
  return rig;
}

describe("a task's timeout", () => {
  it("goes to the launcher with the task, and no task has one without need", () => {
    expect(rigWith({}).calls()).toEqual(["enqueue 1: id 0: one within 1500 ms", "enqueue 2: id 1: two"]);
  });

  it("is a failure, and told as one; what it said last goes along", () => {
    const rig = rigWith({});
    rig.calls();
    rig.end(1, timedOut);
    expect(rig.calls()).toEqual(["exchange 2: reports 1 task 0 timed out 15 ends 0; wants c1*1; idle 1"]);
    expect(rig.core.stats).toMatchObject({ done: 1, failed: 1 });
  });

  it("is nobody else's doing: it is told at once, and stays so when a scheduler's signal comes", () => {
    const rig = rigWith({ holdsFailures: true });
    rig.calls();
    rig.end(1, timedOut);
    expect(rig.core.holds).toBe(false);
    rig.answer();
    rig.core.onStopSignal("SIGTERM");
    rig.end(2, timedOut);
    rig.answer({ acknowledged: 1 });
    expect(rig.calls().join("\n")).toMatch(
      /reports 1 task 0 timed out 15 [^]*reports 2 task 1 timed out 15 /,
    );
  });
});
