import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type EngineProcess, type Run, useRuns } from "./rig.js";

const runs = useRuns();

/** Each tells its number, and whether its slot was taken. */
function tell(count: number): readonly string[] {
  return Array.from(
    { length: count },
    (_, index) =>
      `d=$DIR/slot.$DISBATCH_CYLINDER_RANK; mkdir $d || echo clash >>$DIR/clash; echo ${index} >>$DIR/ran; rmdir $d`,
  );
}

describe.each(["perl", "node"] as const)(
  "an engine process with its %s launcher and short tasks",
  (launcher) => {
    const count = 600;

    async function open(): Promise<{ readonly on: Run; readonly engine: EngineProcess }> {
      const on = await runs.open();
      await on.publish(...tell(count));
      return { on, engine: on.start({ launcher, slots: 3 }) };
    }
    const ran = (on: Run): readonly number[] => on.read("ran").split("\n").slice(0, -1).map(Number);
    const idsOf = (on: Run, kind: string): readonly number[] =>
      on.reports.filter(({ outcome }) => outcome.kind === kind).map(({ id }) => id);

    it("runs each once, never two in one slot", async () => {
      const { on } = await open();
      await on.until("all ends", () => on.reports.length >= count);
      expect(new Set(idsOf(on, "exited")).size).toBe(count);
      expect(on.reports).toHaveLength(count);
      expect(ran(on).toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
      expect(on.read("clash")).toBe("");
    });

    it("told to stop meanwhile hands back all that has not begun, and nothing else", async () => {
      const { on, engine } = await open();
      await on.until("some ends", () => on.reports.length > 50);
      engine.say("stop");
      expect(await engine.exited).toEqual({ code: 0, signal: null });
      const [ended, cancelled] = [idsOf(on, "exited"), idsOf(on, "cancelled")];
      const { queued } = await on.snapshot();
      expect(new Set([...ended, ...cancelled]).size).toBe(on.reports.length);
      expect(on.reports.length + queued).toBe(count);
      expect(queued).toBeGreaterThan(0);
      expect(ended.filter((id) => !ran(on).includes(id))).toEqual([]);
      expect(ran(on).filter((id) => !ended.includes(id) && !cancelled.includes(id))).toEqual([]);
      expect(new Set(ran(on)).size).toBe(ran(on).length);
    });

    it("whose guarding process is killed meanwhile answers for each once, and goes on", async () => {
      const { on, engine } = await open();
      await on.until("some ends", () => on.reports.length > 50);
      const pid = guardOf(engine);
      process.kill(pid, "SIGKILL");
      await on.until("all ends", () => on.reports.length >= count);
      expect(new Set(on.reports.map(({ id }) => id)).size).toBe(count);
      const ended = idsOf(on, "exited");
      expect(ended.filter((id) => !ran(on).includes(id))).toEqual([]);
      expect(idsOf(on, "exited").length + idsOf(on, "lost").length).toBe(count);
      expect(guardOf(engine)).not.toBe(pid);
    });
  },
);

/** The one child of an engine that guards its tasks. */
function guardOf(engine: EngineProcess): number {
  const children = readFileSync(`/proc/${engine.pid}/task/${engine.pid}/children`, "latin1");
  const guard = children
    .split(" ")
    .filter(Boolean)
    .map(Number)
    .find((pid) => /^taskmuster-launcher|taskmuster-guardian/.test(commandLine(pid)));
  if (guard === undefined || guard <= 1) throw new Error("no guarding process");
  return guard;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1");
  } catch {
    return "";
  }
}
