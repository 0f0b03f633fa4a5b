import { describe, expect, it } from "vitest";
import { queued, Rig } from "./rig.js";
import { busyRig, hurriedRig, ids } from "./rig-states.js";

/** What it would announce now: a line for each part. */
function announced(rig: Rig): readonly string[] {
  rig.dropExchange();
  return rig.core.announce().map(({ seq, acknowledged, claimed, claims, last }) => {
    const held = claims.map(
      ({ id, attempt, body }) => `${id}.${attempt}${body.length === 0 ? " ended" : ""}`,
    );
    return `${seq}: ${held.join(", ")}; acknowledged ${acknowledged}, claimed ${claimed}${last ? "" : ", more"}`;
  });
}

function back(
  rig: Rig,
  answer: { readonly wanted?: "run" | "stop"; readonly acknowledged?: number } = {},
): void {
  rig.core.onAnnounced({
    kind: "announced",
    acknowledged: 0,
    wanted: "run",
    needs: [queued(0).needs],
    ...answer,
  });
}

describe("a store that has forgotten", () => {
  it("is told what runs, and what has ended and is not on disk; then that is handed in again, with its numbers", () => {
    const rig = busyRig();
    rig.end(1);
    rig.answer({ tasks: [queued(2, "task 2", 3)] });
    rig.calls();
    expect(announced(rig)).toEqual(["3: 1.1, 2.3, 0.1 ended; acknowledged 0, claimed 3"]);
    rig.end(2);
    // What runs goes on; nothing is exchanged.
    expect(rig.calls()).toEqual([]);
    back(rig);
    expect(rig.calls()).toEqual([
      "exchange 4: reports 1 task 0 exit 0 ends 0, 2 task 1 exit 0 ends 1; wants c1*1; idle 1",
    ]);
  });

  it("is told nothing of what is on disk", () => {
    const rig = busyRig();
    rig.end(1);
    rig.answer({ acknowledged: 1 });
    rig.end(2);
    rig.answer();
    rig.calls();
    expect(announced(rig)).toEqual(["4: 1.1 ended; acknowledged 1, claimed 2"]);
    back(rig, { acknowledged: 1 });
    expect(rig.calls()).toEqual(["exchange 5: reports 2 task 1 exit 0 ends 1; wants c1*2; idle 2"]);
    rig.answer({ acknowledged: 2 });
    expect(announced(rig)).toEqual(["6: ; acknowledged 2, claimed 2"]);
  });

  it("is not told what was given back in an exchange that has no answer: it may be another's by now", () => {
    const rig = hurriedRig(ids(2, 6));
    rig.answer();
    rig.calls();
    rig.core.onReminder();
    rig.core.onReminder();
    // Tags 4 to 7 wait for a slot.
    rig.core.onRecalled([4, 5, 6, 7]);
    expect(rig.calls().find((call) => call.includes("releases"))).toBeDefined();
    expect(announced(rig).join()).not.toMatch(/[3456]\.1/);
    expect(announced(rig).join()).toMatch(/claimed 3$/);
    back(rig);
    expect(rig.calls().join()).not.toContain("releases");
  });

  it("is told the same again, under higher numbers, when it has forgotten once more; what is recalled meanwhile is given back there", () => {
    const rig = busyRig();
    expect(announced(rig)).toEqual(["2: 0.1, 1.1; acknowledged 0, claimed 2"]);
    rig.core.onRecalled([2]);
    // Nobody has heard of that.
    expect(announced(rig)).toEqual(["3: 0.1; acknowledged 0, claimed 1"]);
    rig.core.onRecalled([1]);
    back(rig);
    expect(rig.calls()).toEqual(["exchange 4: releases 0; wants c1*2; idle 2"]);
  });

  it("is told in parts when there is much", () => {
    const rig = new Rig({ slots: 3, maxReports: 2 });
    rig.core.begin();
    rig.answer({ tasks: [queued(0), queued(1), queued(2, "x".repeat(2000))] });
    expect(announced(rig)).toEqual([
      "2: 0.1, 1.1; acknowledged 0, claimed 3, more",
      "3: 2.1; acknowledged 0, claimed 3",
    ]);
  });

  it("may order it to stop", () => {
    const rig = busyRig();
    announced(rig);
    back(rig, { wanted: "stop" });
    expect(rig.calls()).toContain("stop 1, grace 3000");
    expect(rig.left).toBeNull();
    for (const tag of [1, 2]) rig.end(tag, { kind: "signalled", signal: 15 }, { stopped: true });
    while (rig.exchanging) rig.answer({ acknowledged: 2 });
    expect(rig.left).toBe("stopped");
  });

  it("holds nobody who was about to leave: it leaves when its reports are on disk there", () => {
    const rig = busyRig();
    rig.core.drain("idle");
    rig.end(1);
    if (rig.exchanging) rig.answer();
    rig.end(2);
    if (rig.exchanging) rig.answer();
    rig.calls();
    announced(rig);
    expect(rig.left).toBeNull();
    back(rig);
    expect(rig.calls()).toEqual([
      expect.stringMatching(/^exchange \d+: reports 1 task 0 exit 0 ends 0, 2 task 1 exit 0 ends 1; awaits$/),
    ]);
    rig.answer({ acknowledged: 2 });
    expect(rig.left).toBe("idle");
  });
});
