import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { bin, until, usePlace } from "./harness.js";
import { Terminal, type TerminalOptions, noTmux } from "./terminal.js";

const place = usePlace();
const dbutil = join(dirname(bin), "dbutil");

let terminal: Terminal | null = null;
afterEach(() => {
  terminal?.close();
  terminal = null;
  // Whatever became of the test, the tasks shall end.
  place().write("go", "");
});

/** A terminal in which the monitor runs, as a person starts it. */
function monitor(options: TerminalOptions = {}, args = "--mon"): Terminal {
  const [name = "", value = ""] = place().mark.split("=");
  terminal = new Terminal(place().dir, { ...options, env: { ...options.env, [name]: value } });
  terminal.type(`clear; "${dbutil}" ${args}; echo "status $?"`);
  terminal.press("Enter");
  return terminal;
}

/** Tasks that wait until there is a file `go`, after `first`. */
function waitingTasks(count: number, first: readonly string[] = []): void {
  const waiting = Array.from(
    { length: count },
    (_, number) => `: wait ${number}; until [ -e go ]; do sleep 0.05; done`,
  );
  place().write("tasks", `${[...first, ...waiting].join("\n")}\n`);
}

const failing = "echo no such galaxy >&2; exit 3";

describe.skipIf(noTmux !== null)(`dbutil --mon in a terminal${noTmux === null ? "" : ` (${noTmux})`}`, () => {
  it("shows a run from its first task to its end, and gives the terminal back", async () => {
    waitingTasks(4, ["echo ok", failing]);
    const driver = place().start(["-s", "localhost:2", "tasks"]);
    await until("the run is there", () =>
      place()
        .files()
        .some((name) => name.endsWith("_kvsinfo.txt")),
    );
    const screen = monitor();
    await screen.shows(
      "● running",
      "2 done",
      "1 failed",
      "2 running",
      "2 left",
      "no such galaxy",
      "2 of 2 slots busy on 1 engine",
    );
    expect(screen.line("● running")).toMatch(/^ tasks {3}● running {10,}elapsed \d+ s$/);
    expect(screen.line("driver on")).toContain(`driver on ${hostname()}`);
    // An engine tells its own numbers every few seconds.
    await screen.shows(/^▌▾ SSH0 +local +━{5} +2\/2 +2 +1 +● running$/m);
    expect(screen.line(`0 ${hostname()}`)).toMatch(/━{5} +2\/2 +2 +1 +\d+ s +● running$/);
    expect(screen.line("exit 3")).toMatch(/^ {2}1 +exit 3 +\S+ +.*echo no such galaxy/);
    expect(screen.line("q quit")).toMatch(/^ ↑↓ move .* q quit$/);
    expect(screen.screen.trimEnd().split("\n")).toHaveLength(24);

    place().write("go", "");
    await screen.shows("the run has ended: all tasks are done", "6 done", "0 running", "100%");
    expect((await driver.finished).code).toBe(0);
    screen.press("Down");
    await screen.shows("the run has ended");
    screen.press("q");
    await screen.shows("status 0");
    expect(screen.screen).not.toContain("ended");
    expect(screen.modes).toBe("1 0 1");
  });

  it("shows what an engine runs, one task, and one failure", async () => {
    waitingTasks(4, [failing]);
    const driver = place().start(["-s", "localhost:2", "-p", "run", "tasks"]);
    await until("the run is there", () => place().files().includes("run_kvsinfo.txt"));
    const screen = monitor({ columns: 100, rows: 30 }, "--mon run");
    await screen.shows("1 failed", "2 running");

    screen.press("Down", "Enter");
    await screen.shows(
      `Engine 0 on ${hostname()}, context SSH0`,
      "COMMAND",
      ": wait 0; until",
      ": wait 1; until",
    );
    screen.press("Down", "Enter");
    await screen.shows("╭─ Task 2 ─", "3 of the task file", "it runs there, or is about to");
    screen.press("Escape", "Escape");
    await screen.hides("COMMAND ");

    screen.press("Tab", "Enter");
    await screen.shows("╭─ Task 0 failed ─", "exit 3", "last words  no such galaxy");
    screen.press("Escape");
    await screen.hides("last words");

    for (const [task, words] of [
      ["0", "ended: exit 3"],
      ["1", "it runs there"],
      ["4", /it runs there|waits for a free slot/],
      ["77", "list has no task"],
    ] as const) {
      screen.press("t");
      await screen.shows("number (TaskID");
      screen.type(task);
      screen.press("Enter");
      await screen.shows(`╭─ Task ${task} ─`, words);
      screen.press("Escape");
      await screen.hides("Esc closes");
    }
    screen.press("C-c");
    await screen.shows("status 0");
    place().write("go", "");
    await driver.finished;
  });

  it("retires a context that was added, and the rest of the run goes on", async () => {
    waitingTasks(12);
    const driver = place().start(["-s", "localhost:2", "-p", "run", "tasks"]);
    await until("the run is there", () => place().files().includes("run_kvsinfo.txt"));
    const added = place().shell(`"${dbutil}" add -s localhost:1 -l extra`);
    const screen = monitor({ columns: 120, rows: 30 });
    await screen.shows("on 2 engines", "▾ extra", /3 of 3 slots busy/);
    screen.type("/");
    await screen.shows("filter:");
    screen.type("extra");
    await screen.hides("▾ SSH0");
    screen.press("Enter");
    screen.type("r");
    await screen.shows(
      "Retire context extra?",
      "Context extra has 1 engine with 1 slot, which run 1 task now",
      "One other engine goes on",
    );
    screen.type("n");
    await screen.hides("Retire context");
    screen.type("C");
    await screen.shows("Retire context extra?");
    screen.type("y");
    await screen.shows("context extra retires", "◐ draining");
    screen.press("Escape");
    await screen.shows("▾ SSH0");
    place().write("go", "");
    expect((await driver.finished).code).toBe(0);
    await added.finished;
    await screen.shows("the run has ended: all tasks are done");
    screen.type("x");
    await screen.shows("status 0");
    expect(place().rows()).toHaveLength(12);
  });

  it("says since when the store is out of reach, and goes on when it is back", async () => {
    waitingTasks(2);
    const driver = place().start(["-s", "localhost:2", "tasks"]);
    await until("the run is there", () =>
      place()
        .files()
        .some((name) => name.endsWith("_kvsinfo.txt")),
    );
    const screen = monitor();
    await screen.shows("2 running");
    const store = place().pidOf("redis-server");
    process.kill(store, "SIGSTOP");
    await screen.shows(/no word from the key-value store for \d+ s/, "as last seen");
    process.kill(store, "SIGCONT");
    await screen.hides("no word");
    screen.press("q");
    await screen.shows("status 0");
    place().write("go", "");
    await driver.finished;
  });

  it("follows the window's size, and says which is the least", async () => {
    waitingTasks(2);
    const driver = place().start(["-s", "localhost:2", "tasks"]);
    await until("the run is there", () =>
      place()
        .files()
        .some((name) => name.endsWith("_kvsinfo.txt")),
    );
    const screen = monitor();
    await screen.shows("● running");
    for (const [columns, rows] of [
      [120, 40],
      [200, 60],
      [64, 16],
    ] as const) {
      screen.resize(columns, rows);
      await until(`it fills ${columns} × ${rows}`, () => {
        const lines = screen.screen.replace(/\n$/, "").split("\n");
        const last = lines[rows - 1] ?? "";
        return (lines.length === rows && last.length === columns - 1 && last.endsWith("q quit")) || lines;
      });
    }
    screen.resize(40, 10);
    await screen.shows("at least 64 × 16");
    screen.press("q");
    await screen.shows("status 0");
    place().write("go", "");
    await driver.finished;
  });

  it("can be put aside and taken up again, and leaves a whole terminal when it is stopped", async () => {
    waitingTasks(2);
    const driver = place().start(["-s", "localhost:2", "tasks"]);
    await until("the run is there", () =>
      place()
        .files()
        .some((name) => name.endsWith("_kvsinfo.txt")),
    );
    const screen = monitor();
    await screen.shows("● running");
    screen.press("C-z");
    await screen.shows("Stopped");
    expect(screen.modes).toBe("1 0 1");
    screen.type("fg");
    screen.press("Enter");
    await screen.shows("● running", "q quit");
    expect(screen.modes).toBe("0 1 0");
    process.kill(place().pidOf("dbutil.js"), "SIGTERM");
    await screen.shows("$ ");
    await until("the terminal is as it was", () => screen.modes === "1 0 1" || screen.modes);
    screen.type("echo it echoes");
    await screen.shows("echo it echoes");
    place().write("go", "");
    await driver.finished;
  });

  it("has colours, unless NO_COLOR is set", async () => {
    waitingTasks(1);
    const driver = place().start(["-s", "localhost:1", "tasks"]);
    await until("the run is there", () =>
      place()
        .files()
        .some((name) => name.endsWith("_kvsinfo.txt")),
    );
    // oxlint-disable-next-line no-control-regex -- what a colour begins with
    const colour = /\u001b\[(?:\d+;)*[34][0-8]/;
    for (const [env, has] of [
      [{}, true],
      [{ NO_COLOR: "1" }, false],
    ] as const) {
      const screen = monitor({ env });
      await screen.shows("● running", "q quit");
      expect(colour.test(screen.colours)).toBe(has);
      screen.press("q");
      await screen.shows("status 0");
      screen.close();
    }
    place().write("go", "");
    await driver.finished;
  });
});

describe("dbutil --mon without a terminal", () => {
  it("says what to use instead", async () => {
    waitingTasks(1);
    const driver = place().start(["-s", "localhost:1", "tasks"]);
    await until("the run is there", () =>
      place()
        .files()
        .some((name) => name.endsWith("_kvsinfo.txt")),
    );
    const { code, stdout, stderr } = await place().shell(`"${dbutil}" --mon`).finished;
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: "dbutil: the monitor needs a terminal; dbutil status tells the same in plain lines\n",
    });
    place().write("go", "");
    await driver.finished;
  });
});
