import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { decodeTask, encodeTask, attempt, taskId } from "@taskmuster/kvs/protocol";
import { textCells } from "../../src/monitor/render/cells.js";
import { type Look, lookOf } from "../../src/monitor/render/palette.js";
import { context, endedSnapshot, engine, failure, nodes, snapshot, text } from "./fixture.js";
import { busyRun } from "./made-up-runs.js";
import { Stage } from "./stage.js";

const sizes = [
  [80, 24],
  [120, 40],
  [200, 60],
] as const;
const colour: Look = { colours: "colour", utf8: true };
const ascii: Look = { colours: "mono", utf8: false };

const files = (name: string) => `screens/${name}.txt`;

beforeAll(() => {
  vi.stubEnv("TZ", "UTC");
});
afterAll(() => {
  vi.unstubAllEnvs();
});

/** A run in full swing, a while after the first look. */
function busyStage(columns: number, rows: number): Stage {
  return new Stage(columns, rows).see(busyRun()).see(busyRun(), 2_000);
}

describe("the screen", () => {
  for (const [columns, rows] of sizes) {
    it(`shows a run in full swing on ${columns} × ${rows}`, async () => {
      await expect(busyStage(columns, rows).screen()).toMatchFileSnapshot(files(`busy-${columns}x${rows}`));
    });
  }

  it("shows the same in colour", async () => {
    await expect(busyStage(80, 24).screen(colour)).toMatchFileSnapshot(files("busy-80x24-colour"));
  });

  it("shows the same in ASCII, where the locale knows no UTF-8", async () => {
    const screen = busyStage(80, 24).screen(ascii);
    await expect(screen).toMatchFileSnapshot(files("busy-80x24-ascii"));
    expect(screen.replaceAll(/[«»]/g, "")).toMatch(/^[\n -~]*$/);
  });

  it("still works on the smallest window, and says how large that is", async () => {
    await expect(busyStage(64, 16).screen()).toMatchFileSnapshot(files("busy-64x16"));
    expect(new Stage(63, 16).screen()).toMatch(/^This window has 63 × 16;\nit takes at least 64 × 16\.\n/);
    expect(new Stage(10, 2).lines()).toHaveLength(2);
  });

  it("asks before it retires an engine, and says what will happen", async () => {
    const stage = busyStage(80, 24).press("down", "down", "r");
    await expect(stage.screen()).toMatchFileSnapshot(files("retire-engine"));
  });

  it("asks before it retires a context", async () => {
    await expect(busyStage(80, 24).press("C").screen()).toMatchFileSnapshot(files("retire-context"));
  });

  it("shows what an engine runs now", async () => {
    const task = (id: number) =>
      decodeTask(
        encodeTask({
          id: taskId(id),
          attempt: attempt(1),
          line: id + 1,
          timeoutMs: null,
          repeatIndex: -1,
          command: text(`./step ${id} "日本語" é`),
        }),
      );
    const stage = busyStage(80, 24).press("down", "enter");
    const [asked] = stage.effects;
    if (asked?.kind !== "claims") throw new Error("it did not ask what the engine holds");
    stage.happen({
      kind: "claims",
      engine: asked.engine,
      tasks: Array.from({ length: 20 }, (_, at) => task(4200 + at)),
    });
    await expect(stage.screen()).toMatchFileSnapshot(files("engine-tasks"));
    await expect(stage.press("down", "enter").screen()).toMatchFileSnapshot(files("engine-task"));
  });

  it("shows all about a failure", async () => {
    await expect(busyStage(80, 24).press("tab", "enter").screen()).toMatchFileSnapshot(files("failure"));
  });

  it("lists the keys", async () => {
    await expect(busyStage(80, 24).press("?").screen()).toMatchFileSnapshot(files("help"));
  });

  it("says that the run has ended, and keeps what was last known", async () => {
    const stage = busyStage(80, 24).see(endedSnapshot);
    await expect(stage.screen()).toMatchFileSnapshot(files("ended"));
  });

  it("says since when the store has not answered", async () => {
    const stage = busyStage(80, 24);
    stage.happen(
      { kind: "unreachable", since: stage.now, why: "the key-value store does not answer" },
      83_000,
    );
    await expect(stage.screen()).toMatchFileSnapshot(files("unreachable"));
    expect(stage.see(busyRun()).screen()).not.toContain("no word");
  });

  it("says how engines are added while there are none", async () => {
    const stage = new Stage(80, 24).see(
      snapshot({ serves: true, done: 0, failed: 0, outstanding: 100 }, [], []),
    );
    await expect(stage.screen()).toMatchFileSnapshot(files("no-engines"));
  });

  it("shows a stream, whose end nobody knows, without percentages", async () => {
    const run = snapshot(
      { total: null, done: 70, failed: 0, outstanding: 30, atBarrier: 99 },
      [context({ label: "local", kind: "local", nodes: nodes("ada") })],
      [engine({ rank: 0, context: "local", host: "ada", busy: 4, done: 70 })],
    );
    const stage = new Stage(80, 24).see(run);
    await expect(stage.screen()).toMatchFileSnapshot(files("stream"));
  });

  it("keeps its shape whatever commands, hosts and last words hold", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.string({ unit: "binary", maxLength: 90 }),
        fc.constantFrom(...sizes, [64, 16] as const),
        fc.constantFrom("", "tab", "enter", "r", "?", "t"),
        (host, words, [columns, rows], key) => {
          const run = snapshot(
            {
              name: host,
              prefix: words,
              host,
              reason: words,
              failures: [failure(1, { host, command: text(words), lastWords: text(words) })],
            },
            [
              context({
                label: "SSH0",
                host,
                nodes: [{ host, slots: 1, state: "failed", why: words }],
                ended: words,
              }),
            ],
            [engine({ rank: 0, context: "SSH0", host, state: "draining", statsWhy: words })],
          );
          const stage = new Stage(columns, rows).see(run).press("down", key, "enter");
          for (const look of [plainAscii, { colours: "plain", utf8: true }] as const) {
            const lines = stage.lines(look);
            expect(lines).toHaveLength(rows);
            for (const line of lines) {
              expect(line).not.toMatch(/\p{Cc}/u);
              expect(textCells(line)).toBe(columns);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

const plainAscii: Look = { colours: "plain", utf8: false };

describe("how it looks", () => {
  it("has no colour when NO_COLOR is set, and nothing but text on a dumb terminal", () => {
    expect(lookOf({ TERM: "xterm", LANG: "de_DE.UTF-8" })).toEqual({ colours: "colour", utf8: true });
    expect(lookOf({ TERM: "xterm", LANG: "C.UTF-8", NO_COLOR: "" }).colours).toBe("colour");
    expect(lookOf({ TERM: "xterm", NO_COLOR: "1" })).toEqual({ colours: "mono", utf8: false });
    expect(lookOf({ TERM: "dumb", LC_ALL: "C", LANG: "C.UTF-8" })).toEqual({ colours: "plain", utf8: false });
    const noColour = busyStage(80, 24).lines({ colours: "mono", utf8: true }).join("");
    // oxlint-disable-next-line no-control-regex -- what must not be there: any colour
    expect(noColour).not.toMatch(/\u001b\[(?!(?:[127])?m)/);
  });
});
