import { engineId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { type RunningEngine, TightEngines } from "../../src/core/tight-engines.js";

function engine(rank: number, outOf: string, usable: number): RunningEngine {
  return { engine: engineId(`engine0${rank}`), name: `engine ${rank} on n${rank}`, slots: 8, outOf, usable };
}

describe("TightEngines", () => {
  it("says nothing of engines that can use all their slots", () => {
    expect(new TightEngines(1000).look([engine(0, "", 8), engine(1, "", 8)], 0)).toEqual([]);
  });

  it("names an engine once for each thing that it is out of, however often it comes back", () => {
    const tight = new TightEngines(1000);
    const words = [
      tight.look([engine(0, "processes", 4)], 0),
      tight.look([engine(0, "processes", 2)], 1),
      tight.look([engine(0, "", 8)], 2),
      tight.look([engine(0, "processes", 4)], 3),
      tight.look([engine(0, "open files", 4)], 4),
    ];
    const say = (what: string) => ({
      kind: "say",
      message: `engine 0 on n0 runs fewer tasks at a time: it is out of ${what}`,
    });
    expect(words).toEqual([[say("processes")], [], [], [], [say("open files")]]);
  });

  it("drains one that could not start anything for long, as others can", () => {
    const tight = new TightEngines(1000);
    const engines = [engine(0, "processes", 0), engine(1, "", 8)];
    tight.look(engines, 0);
    expect(tight.look(engines, 999)).toEqual([]);
    expect(tight.look(engines, 1000)).toEqual([
      {
        kind: "drain",
        engine: engineId("engine00"),
        why: "out of processes",
        message:
          "engine 0 on n0 has not been able to start a task for 1 s, as it is out of processes: it is to leave, others do its work",
      },
    ]);
  });

  it("counts anew when it could in between", () => {
    const tight = new TightEngines(1000);
    const other = engine(1, "", 8);
    tight.look([engine(0, "processes", 0), other], 0);
    tight.look([engine(0, "processes", 1), other], 900);
    tight.look([engine(0, "processes", 0), other], 1000);
    expect(tight.look([engine(0, "processes", 0), other], 1900)).toEqual([]);
  });

  it("leaves the last one alone, and says so once", () => {
    const tight = new TightEngines(1000);
    const engines = [engine(0, "memory", 0), engine(1, "memory", 0)];
    tight.look(engines, 0);
    const last = (rank: number) => ({
      kind: "say",
      message: `engine ${rank} on n${rank} has not been able to start a task for 1 s, as it is out of memory; it tries on, as nobody else is there`,
    });
    expect(tight.look(engines, 2000)).toEqual([last(0), last(1)]);
    expect(tight.look(engines, 3000)).toEqual([]);
  });
});
