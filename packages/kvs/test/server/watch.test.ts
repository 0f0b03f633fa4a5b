import type { EngineSnapshot, Snapshot } from "@taskmuster/kvs";
import { contextId, engineId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { Watch } from "../../src/server/watch.js";

function engine(name: string, renewal: number, state: EngineSnapshot["state"] = "member"): EngineSnapshot {
  const none = Buffer.from("");
  return {
    engine: engineId(name),
    context: contextId("ctx"),
    rank: 0,
    info: none,
    stats: none,
    renewal,
    claims: 0,
    wanted: "run",
    state,
    why: "",
    awaited: false,
    greeted: true,
  };
}

function seen(driverBeat: number, ...engines: EngineSnapshot[]): Snapshot {
  const state = Buffer.from("");
  const counts = { token: 1, driverBeat, queued: 0, reports: 0 };
  return { open: true, ...counts, state, wanted: "run", contexts: [], engines };
}

const nobody = () => false;
const options = { leaseMs: 1_000, driverPatienceMs: 300, longestGapMs: 5_000 };

describe("watching who is alive", () => {
  it("takes everybody for alive at first", () => {
    expect(new Watch(options).look(0, seen(0, engine("engine01", 0)), nobody)).toEqual({
      driver: true,
      engines: 1,
    });
  });

  it("notices a driver whose beat stands still, and one that comes back", () => {
    const watch = new Watch(options);
    watch.look(0, seen(7), nobody);
    expect(watch.look(299, seen(7), nobody).driver).toBe(true);
    expect(watch.look(300, seen(7), nobody).driver).toBe(false);
    expect(watch.look(301, seen(8), nobody).driver).toBe(true);
    expect(watch.look(602, seen(8), nobody).driver).toBe(false);
  });

  it("notices an engine whose counter stands still", () => {
    const watch = new Watch(options);
    const look = (now: number, a: number, b: number) =>
      watch.look(now, seen(0, engine("engine01", a), engine("engine02", b)), nobody).engines;
    look(0, 1, 1);
    expect(look(900, 1, 2)).toBe(2);
    expect(look(1_000, 1, 2)).toBe(1);
    expect(look(1_900, 1, 2)).toBe(0);
    expect(look(2_000, 2, 2)).toBe(1);
  });

  it("counts neither those who left nor those who are proven dead", () => {
    const watch = new Watch(options);
    const engines = [engine("engine01", 1, "left"), engine("engine02", 1, "expelled"), engine("engine03", 1)];
    expect(watch.look(0, seen(0, ...engines), nobody).engines).toBe(1);
    expect(watch.look(0, seen(0, ...engines), (each) => each.engine === "engine03").engines).toBe(0);
  });

  it("forgives everybody when it was itself stopped for a while", () => {
    const watch = new Watch(options);
    watch.look(0, seen(1, engine("engine01", 1)), nobody);
    watch.look(200, seen(1, engine("engine01", 1)), nobody);
    expect(watch.look(60_000, seen(1, engine("engine01", 1)), nobody)).toEqual({ driver: true, engines: 1 });
    expect(watch.look(60_100, seen(1, engine("engine01", 1)), nobody)).toEqual({ driver: false, engines: 1 });
    expect(watch.look(60_800, seen(1, engine("engine01", 1)), nobody).engines).toBe(0);
  });
});
