import { type EngineSnapshot, contextId, engineId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { Leases } from "../../src/core/leases.js";

const leaseMs = 60_000;
const everyMs = 5_000;

function engine(name: string, renewal: number, state: EngineSnapshot["state"] = "member"): EngineSnapshot {
  const nothing = new Uint8Array(0);
  return {
    engine: engineId(name),
    context: contextId("SSH0"),
    rank: 0,
    info: nothing,
    renewal,
    stats: nothing,
    claims: 1,
    wanted: "run",
    state,
    why: "",
    awaited: false,
    greeted: true,
  };
}

/** Looks every `everyMs` from `from` to `to`, and tells when who was found lost first. */
function look(
  leases: Leases,
  engines: (now: number) => readonly EngineSnapshot[],
  from: number,
  to: number,
): string[] {
  const found: string[] = [];
  for (let now = from; now <= to; now += everyMs) {
    for (const lost of leases.look(engines(now), now, everyMs)) {
      if (!found.some((line) => line.startsWith(lost.engine))) found.push(`${lost.engine} ${now}`);
    }
  }
  return found;
}

describe("Leases", () => {
  it("loses an engine whose counter has not changed for longer than a lease, and nobody else", () => {
    const leases = new Leases(leaseMs);
    const engines = (now: number) => [engine("silent00", 3), engine("lively00", now)];
    expect(look(leases, engines, 0, 200_000)).toEqual(["silent00 65000"]);
  });

  it("goes by whether the counter changes, not by its size", () => {
    const leases = new Leases(leaseMs);
    expect(look(leases, (now) => [engine("engine00", (now / everyMs) % 2)], 0, 200_000)).toEqual([]);
  });

  it("starts to count when it first sees an engine", () => {
    const leases = new Leases(leaseMs);
    leases.look([], 0, everyMs);
    expect(look(leases, () => [engine("engine00", 0)], 1_000_000, 2_000_000)).toEqual(["engine00 1065000"]);
  });

  it("gives everybody back the time for which the driver itself was away", () => {
    const leases = new Leases(leaseMs);
    const engines = () => [engine("engine0a", 1), engine("engine0b", 1)];
    expect(look(leases, engines, 0, 50_000)).toEqual([]);
    // Stopped for an hour. Of the 50 s that had passed none is forgotten, but of the hour at most two looks count.
    const back = 50_000 + 3_600_000;
    expect(leases.look(engines(), back, everyMs)).toEqual([]);
    expect(look(leases, engines, back + everyMs, back + 100_000)).toEqual([
      `engine0a ${back + everyMs}`,
      `engine0b ${back + everyMs}`,
    ]);
  });

  it("after a pause still loses nobody who renews once it is back", () => {
    const leases = new Leases(leaseMs);
    leases.look([engine("engine00", 1)], 0, everyMs);
    expect(leases.look([engine("engine00", 1)], 3_600_000, everyMs)).toEqual([]);
    expect(leases.look([engine("engine00", 2)], 3_605_000, everyMs)).toEqual([]);
    expect(leases.look([engine("engine00", 2)], 3_665_000, everyMs)).toEqual([]);
  });

  it("does not lose those who left or were expelled", () => {
    const leases = new Leases(leaseMs);
    const engines = () => [engine("engine0a", 1, "left"), engine("engine0b", 1, "expelled")];
    expect(look(leases, engines, 0, 200_000)).toEqual([]);
  });
});
