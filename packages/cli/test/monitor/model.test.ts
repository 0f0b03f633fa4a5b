import { describe, expect, it } from "vitest";
import { clockMs, context, endedSnapshot, engine, nodes, snapshot } from "./fixture.js";
import { busyRun } from "./made-up-runs.js";
import type { RunEnd } from "../../src/monitor/model/model.js";
import { Stage } from "./stage.js";

const ssh = context({ label: "SSH0", nodes: nodes("a1", "a2", "a10") });
const three = (more: { renewal?: number } = {}) => [
  engine({ rank: 0, context: "SSH0", host: "a10", busy: 1, done: 7, failed: 2, ...more }),
  engine({ rank: 1, context: "SSH0", host: "a2", busy: 3, done: 5, failed: 0, ...more }),
  engine({ rank: 2, context: "SSH0", host: "a1", busy: 2, done: 9, failed: 1, ...more }),
];
/** A run as it is `seconds` after it began to be watched, with so many done. */
const after = (seconds: number, done: number, more: object = {}) =>
  snapshot({ now: clockMs + 1000 * seconds, done, failed: 0, ...more }, [ssh], three({ renewal: seconds }), {
    driverBeat: seconds,
  });

describe("engines", () => {
  it("are late when nothing was heard of them for 15 s, by the monitor's own clock", () => {
    const stage = new Stage(120, 40).see(snapshot({}, [ssh], three({ renewal: 5 })));
    for (let beat = 0; beat < 15; beat++)
      stage.see(snapshot({}, [ssh], three({ renewal: 5 }), { driverBeat: beat }));
    expect(stage.line("0 a10")).toMatch(/15 s {3}● running$/);
    stage.see(snapshot({}, [ssh], three({ renewal: 5 }), { driverBeat: 99 }));
    expect(stage.line("0 a10")).toMatch(/16 s {3}▲ late: does not answer$/);
    stage.see(snapshot({}, [ssh], three({ renewal: 6 }), { driverBeat: 100 }));
    expect(stage.line("0 a10")).toMatch(/0 s {3}● running$/);
  });

  it("are not late because the monitor itself was stopped for an hour", () => {
    const stage = new Stage().see(snapshot({}, [ssh], three())).see(snapshot({}, [ssh], three()), 3_600_000);
    expect(stage.line("0 a10")).toMatch(/● running$/);
  });

  it("say why they drain, and who wants it", () => {
    const draining = (is: object) => engine({ rank: 0, context: "SSH0", host: "a1", ...is });
    const state = (is: object, wanted: "run" | "drain" = "run", runWanted: "run" | "drain" = "run") =>
      new Stage(120, 30)
        .see(snapshot({}, [context({ label: "SSH0", wanted })], [draining(is)], { wanted: runWanted }))
        .line("0 a1")
        .replace(/.*[◐○●] /, "");
    expect(state({ state: "draining", statsWhy: "its walltime ends" })).toBe("draining: its walltime ends");
    expect(state({ wanted: "drain" })).toBe("draining: retired");
    expect(state({ wanted: "drain" }, "drain")).toBe("draining: its context retires");
    expect(state({ wanted: "drain" }, "drain", "drain")).toBe("draining: the run ends");
    expect(state({ wanted: "stop" })).toBe("stopping: retired");
    expect(state({ state: "starting" })).toBe("starting: PERENGINE START");
    expect(state({ silent: true })).toBe("starting: has joined");
  });

  it("that go are shown for a minute, and counted after that", () => {
    const run = (membership: "member" | "left", beat: number) =>
      snapshot(
        {},
        [ssh],
        [
          engine({ rank: 0, context: "SSH0", host: "a1", membership, why: "idle", renewal: beat }),
          ...three({ renewal: beat }).slice(1),
        ],
      );
    const stage = new Stage(120, 40).see(run("member", 0));
    for (let beat = 1; beat <= 61; beat++) stage.see(run("left", beat));
    expect(stage.line("0 a1")).toContain("× gone: idle");
    stage.see(run("left", 62));
    expect(stage.hosts()).toEqual(["a2", "a1"]);
    expect(stage.line("Contexts and engines")).toContain("1 gone, hidden");
    stage.press("g");
    expect(stage.line("0 a1")).toContain("gone: idle");
    expect(stage.line("Contexts and engines")).not.toContain("hidden");
  });

  it("that had gone before the monitor came are only counted", () => {
    const stage = new Stage().see(busyRun());
    expect(stage.hosts()).not.toContain("node007");
    expect(stage.press("g").hosts()).toContain("node007");
  });

  it("that are awaited or could not be started are told by their nodes", () => {
    const failed = { host: "a9", slots: 4, state: "failed" as const, why: "Permission denied" };
    const run = (label: string) =>
      snapshot(
        {},
        [context({ label, nodes: [...nodes("a1.cluster", "localhost", "a3"), failed] })],
        [
          engine({ rank: 0, context: label, host: "a1" }),
          engine({ rank: 1, context: label, host: "laptop" }),
        ],
      );
    const stage = new Stage(120, 30).see(run("SSH0"));
    expect(stage.line("– a9")).toContain("✗ failed: Permission denied");
    // Two of three have joined: one is awaited, though two names are unknown.
    expect(stage.lines().filter((line) => line.includes("no engine has joined from it"))).toHaveLength(1);
    expect(stage.line("▾ SSH0")).toContain("running: 1 node to come");
  });

  it("that have just left leave no node that is awaited", () => {
    const gone = engine({ rank: 0, context: "local", host: "laptop", membership: "left", why: "drained" });
    const local = context({ label: "local", kind: "local", nodes: nodes("localhost") });
    const stage = new Stage(120, 30).see(snapshot({}, [local], [gone])).press("g");
    expect(stage.line("▾ local")).toContain("gone: all its engines have left");
    expect(stage.screen()).not.toContain("no engine has joined");
  });
});

describe("rate and time left", () => {
  it("are those of the last minute once enough has ended in it", () => {
    const stage = new Stage();
    for (let second = 0; second <= 120; second++)
      stage.see(after(second, 4_000 + (second <= 60 ? 0 : 5 * (second - 60))));
    expect(stage.line("tasks/")).toContain("5.0 tasks/s, 19:00 left");
  });

  it("are those of the whole run at first, and where tasks are long", () => {
    expect(new Stage().see(after(0, 4_500)).line("tasks/")).toContain("5.0 tasks/s, 18:20 left");
    const slow = new Stage();
    for (let second = 0; second <= 600; second += 10)
      slow.see(after(second, 30 + Math.floor(second / 300), { total: 60 }), 10_000);
    expect(slow.line("tasks/")).toContain("1.3 tasks/min, 21:53 left");
  });

  it("are not guessed before the first round of tasks has ended, or when the run ends early", () => {
    expect(new Stage().see(after(0, 12)).line("tasks/")).toContain("time left not known yet");
    expect(new Stage().see(after(0, 0)).line("time left")).toMatch(/^ time left not known yet/);
    expect(new Stage().see(after(0, 4_500, { phase: "draining" })).line("tasks/")).toContain("not known yet");
  });
});

describe("the header", () => {
  const phase = (state: object, more: object = {}) =>
    new Stage(120, 30)
      .see(snapshot(state, [ssh], three(), more))
      .lines()[0]
      ?.trim()
      .replace(/^sweep +/, "")
      .replace(/ +elapsed.*/, "");

  it("tells in words how the run is", () => {
    expect(phase({})).toBe("● running");
    expect(phase({ atBarrier: 17 })).toBe("● running, waiting at barrier 17");
    expect(phase({ phase: "draining", reason: "Ctrl-C" })).toBe("◐ finishing what runs, then it ends");
    expect(phase({ phase: "stopping", reason: "a task failed" })).toBe("◐ stopping what runs");
    expect(phase({ phase: "ended", reason: "" })).toBe("● ends");
    expect(new Stage().see(snapshot(null, [], [])).screen()).toContain("no word from the driver yet");
    expect(new Stage().screen()).toContain("looking for the run");
  });

  it("says when the driver is silent", () => {
    const stage = new Stage(120, 30);
    for (let second = 0; second <= 12; second++)
      stage.see(snapshot({}, [ssh], three({ renewal: second }), { driverBeat: 7 }));
    expect(stage.lines()[0]).toContain("the driver has been silent for 12 s");
    expect(stage.see(snapshot({}, [ssh], three(), { driverBeat: 8 })).lines()[0]).toContain("● running");
  });

  it("says why the run ends", () => {
    const reason = "Stopped early by Ctrl-C: what ran has ended, the rest was not started.";
    const stage = new Stage().see(snapshot({ phase: "draining", reason }, [ssh], three()));
    expect(stage.screen()).toContain(reason);
  });

  it("says how the run has ended, and how far it came, from what is on disk", () => {
    const ended = (state: object, end: RunEnd | null) =>
      new Stage(120, 30)
        .see(snapshot(state, [ssh], three()))
        .see(endedSnapshot, 1_000, end)
        .screen();
    const finished = ended({}, { reason: "finished", done: 10_000 });
    expect(finished).toContain("the run has ended: all tasks are done");
    expect(finished).toContain("█ 10,000 done  ▚ 12 failed  ▒ 0 running  ░ 0 left");
    expect(ended({}, { reason: "drained", done: 4_209 })).toContain("▒ 0 running  ░ 5,791 left");
    expect(ended({}, { reason: "failFast", done: null })).toContain(
      "the run has ended: a task failed (--fail-fast)",
    );
    expect(ended({ done: 10_000 }, null)).toContain("the run has ended: all tasks are done");
    expect(ended({}, null)).toContain("the run has ended: this is what was last known of it");
    expect(new Stage(120, 30).see(endedSnapshot).lines()[0]).toContain(
      "the run has ended: it is no longer there, or never was",
    );
  });
});
