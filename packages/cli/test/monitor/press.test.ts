import { describe, expect, it } from "vitest";
import { context, endedSnapshot, engine, failure, nodes, snapshot } from "./fixture.js";
import { busyRun, largeRun } from "./made-up-runs.js";
import { Stage } from "./stage.js";

const ssh = context({ label: "SSH0", nodes: nodes("a1", "a2", "a10") });
const three = (more: { renewal?: number } = {}) => [
  engine({ rank: 0, context: "SSH0", host: "a10", busy: 1, done: 7, failed: 2, ...more }),
  engine({ rank: 1, context: "SSH0", host: "a2", busy: 3, done: 5, failed: 0, ...more }),
  engine({ rank: 2, context: "SSH0", host: "a1", busy: 2, done: 9, failed: 1, ...more }),
];
describe("the list of engines", () => {
  it("is sorted by what is asked for, most first", () => {
    const stage = new Stage().see(snapshot({}, [ssh], three()));
    expect(stage.hosts()).toEqual(["a10", "a2", "a1"]);
    expect(stage.press("s").hosts()).toEqual(["a1", "a2", "a10"]);
    expect(stage.press("s").hosts()).toEqual(["a2", "a1", "a10"]);
    expect(stage.press("s").hosts()).toEqual(["a1", "a10", "a2"]);
    expect(stage.press("s").hosts()).toEqual(["a10", "a1", "a2"]);
    expect(stage.line("Contexts and engines")).toContain("by failed");
    expect(stage.press("s", "s").hosts()).toEqual(["a10", "a2", "a1"]);
  });

  it("shows only what all words of the filter match: hosts, contexts, states", () => {
    const stage = new Stage(120, 40).see(busyRun()).press("/").type("j48113 running");
    expect(stage.hosts()).toEqual(["node001", "node002", "node003", "node004", "node006"]);
    expect(stage.press("enter").line("Contexts and engines")).toContain('only "j48113 running"');
    expect(stage.press("escape").hosts()).toHaveLength(10);
    expect(stage.press("/").type("zzz").screen()).toContain('nothing matches "zzz"');
    expect(stage.press("backspace", "backspace", "ctrl-u").type("Q").model.view.filter).toBe("Q");
  });

  it("folds the engines of a context away, and out again", () => {
    const stage = new Stage().see(busyRun()).press("down", "down", "left");
    expect(stage.selected()).toBe("J48113");
    expect(stage.line("J48113")).toContain("▸ J48113");
    expect(stage.hosts()).toEqual(["ada", "grace", "node014", "node016"]);
    expect(stage.press("right").hosts()).toHaveLength(10);
    expect(stage.press("enter").hosts()).toHaveLength(4);
  });

  it("keeps the cursor on its engine when the order changes, or others come and go", () => {
    const plain = context({ label: "SSH0" });
    const stage = new Stage().see(snapshot({}, [plain], three())).press("down", "down");
    expect(stage.selected()).toBe("a2");
    expect(stage.press("s").selected()).toBe("a2");
    stage.see(snapshot({}, [plain], three().slice(1)));
    expect(stage.selected()).toBe("a2");
    stage.see(snapshot({}, [plain], three().slice(2)));
    expect(stage.selected()).toBe("a1");
  });

  it("scrolls by lines, by pages and to its ends", () => {
    const stage = new Stage(80, 24).see(largeRun(500));
    const at = () => stage.model.engineCursor.index;
    stage.press("down", "j", "d", "up", "k", "u");
    expect(at()).toBe(0);
    expect(stage.press("pagedown").line("1–")).toContain("of 505");
    expect(at()).toBe(9);
    stage.press("end");
    expect(at()).toBe(504);
    expect(stage.line("Contexts and engines")).toContain("496–505 of 505");
    stage.press("pageup", "home", "up");
    expect(at()).toBe(0);
    stage
      .happen({ kind: "resized", size: { columns: 80, rows: 60 } })
      .press("end")
      .happen({ kind: "resized", size: { columns: 80, rows: 16 } });
    expect(stage.line("Contexts and engines")).toMatch(/505 of 505/);
  });
});

describe("retiring", () => {
  const asked = (stage: Stage) =>
    stage.effects.map((effect) =>
      effect.kind === "ask" ? [effect.order.scope, effect.order.name] : [effect.kind],
    );

  it("asks first, and only a yes is one", () => {
    const stage = new Stage().see(busyRun()).press("down", "r");
    for (const no of ["n", "N", "escape", "q", "c"]) stage.press(no, "r");
    expect(stage.press("enter", "x", " ").effects).toEqual([]);
    stage.press("y");
    expect(asked(stage)).toEqual([["engine", "engine000000"]]);
  });

  it("takes an engine with r and E, and its whole context with C", () => {
    const stage = new Stage().see(busyRun()).press("down", "E", "Y", "down", "C", "y", "home", "r", "y");
    expect(asked(stage)).toEqual([
      ["engine", "engine000000"],
      ["context", "J48113"],
      ["context", "J48113"],
    ]);
  });

  it("says what becomes of the run when no engine is left", () => {
    const run = (serves: boolean) => snapshot({ serves }, [ssh], three().slice(0, 1));
    expect(new Stage().see(run(true)).press("C").screen()).toContain("the run waits until new ones come");
    expect(new Stage().see(run(false)).press("C").screen()).toContain("the run ends with what is not done");
  });

  it("shows that it has asked, how long that takes, and when it was taken", () => {
    const run = (wanted: "run" | "drain") =>
      snapshot({}, [ssh], [engine({ rank: 0, context: "SSH0", wanted })]);
    const stage = new Stage().see(run("run")).press("down", "r", "y");
    expect(stage.screen()).toContain("asked the driver to retire engine 0\n");
    stage.see(run("run"), 7_000);
    expect(stage.screen()).toContain("retire engine 0; it has not answered for 7 s");
    stage.see(run("drain"));
    expect(stage.screen()).toContain("engine 0 retires: it finishes what it runs, and takes nothing new.");
    expect(stage.happen({ kind: "tick" }, 9_000).screen()).not.toContain("finishes what it runs");
  });

  it("says so when the driver cannot be asked", () => {
    const stage = new Stage().see(busyRun()).press("down", "r", "y");
    const [effect] = stage.effects;
    if (effect?.kind !== "ask") throw new Error("it did not ask");
    stage.happen({ kind: "refused", order: effect.order, why: "the run has ended" });
    expect(stage.screen()).toContain("engine 0: the run has ended");
    expect(stage.model.pending).toEqual([]);
  });

  it("is not asked for twice, nor of what has gone or of nothing", () => {
    const stage = new Stage(120, 40).see(busyRun()).press("end", "r");
    expect(stage.screen()).toContain("engine 11 retires already");
    expect(stage.press("C").screen()).toContain("context J48119 retires already");
    expect(
      new Stage()
        .see(snapshot({}, [], []))
        .press("r")
        .screen(),
    ).toContain("choose an engine or a context first");
    expect(stage.see(endedSnapshot).press("r").screen()).toContain("there is nothing to retire");
  });
});

describe("keys", () => {
  it("quit: q and Ctrl-C, and any that means nothing once the run has ended", () => {
    const quits = (stage: Stage) => stage.effects.some(({ kind }) => kind === "quit");
    expect(quits(new Stage().press("q"))).toBe(true);
    expect(quits(new Stage().see(busyRun()).press("r", "ctrl-c"))).toBe(true);
    expect(quits(new Stage().see(busyRun()).press("x", "escape"))).toBe(false);
    expect(quits(new Stage().see(busyRun()).see(endedSnapshot).press("down", "tab", "enter", "escape"))).toBe(
      false,
    );
    expect(quits(new Stage().see(busyRun()).see(endedSnapshot).press(" "))).toBe(true);
  });

  it("that mean nothing are said to", () => {
    expect(new Stage().see(busyRun()).press("x").screen()).toContain(
      "the key x does nothing here; ? lists what keys do",
    );
  });

  it("look for a task by its number", () => {
    const stage = new Stage().see(busyRun()).press("t").type("4x02").press("backspace").type("7");
    expect(stage.screen()).toContain("number (TaskID of the status file): 407▌");
    expect(stage.press("enter").effects).toEqual([{ kind: "find", task: 407 }]);
    stage.happen({ kind: "found", task: 1, card: { title: "other", facts: [] } });
    expect(stage.screen()).toContain("looking for task 407");
    stage.happen({
      kind: "found",
      task: 407,
      card: { title: "Task 407", facts: [{ label: "state", text: "ended: exit 0" }] },
    });
    expect(stage.line("state")).toContain("ended: exit 0");
    expect(stage.press("escape").model.dialog).toBeNull();
  });

  it("scroll what is longer than the screen", () => {
    const words = Array.from({ length: 60 }, (_, line) => `line ${line} of it`).join("\n");
    const run = snapshot({ failures: [failure(5, { lastWords: new TextEncoder().encode(words) })] }, [], []);
    const stage = new Stage(80, 24).see(run).press("tab", "enter");
    expect(stage.screen()).toContain("1–16 of 66");
    expect(stage.screen()).not.toContain("line 58 of it");
    expect(stage.press("end").screen()).toContain("line 58 of it");
    expect(stage.press("home").screen()).toContain("line 0 of it");
  });

  it("move in the failures once Tab has gone there, and stay with one while new ones come", () => {
    const run = (...ids: readonly number[]) =>
      snapshot({ failures: ids.map((id) => failure(id)) }, [ssh], three());
    const stage = new Stage(80, 20).see(run(3, 2, 1)).press("tab", "down");
    expect(stage.line("task 2")).toContain("task 2, line 3: exit 1 after 41 s on node017");
    stage.see(run(5, 4, 3, 2, 1));
    expect(stage.line("task 2")).toBeDefined();
    // Nobody reads them any more: the newest are shown again.
    stage.press("tab");
    expect(stage.line("Failures")).toContain("1–2 of 5");
    stage.see(run(6, 5, 4, 3, 2, 1));
    expect(stage.line("exit 1")).toMatch(/^ {2}6 /);
  });
});

describe("1,000 engines", () => {
  it("fill the screen and no more, wherever one looks", () => {
    const stage = new Stage(200, 60).see(largeRun(1_000));
    const screens = Array.from({ length: 60 }, (_, round) => {
      stage.press(round % 2 === 0 ? "pagedown" : "down");
      return stage.lines({ colours: "plain", utf8: true });
    });
    for (const lines of screens) {
      expect(lines).toHaveLength(60);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(200);
    }
    expect(new Set(screens.map((lines) => lines.join("\n"))).size).toBeGreaterThan(20);
  });
});
