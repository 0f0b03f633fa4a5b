import { type EngineSnapshot, contextId, engineId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { Reunion } from "../../src/core/reunion.js";

const [one, two] = [engineId("engine01"), engineId("engine02")];

function seen(engine: typeof one, is: Partial<EngineSnapshot> = {}): EngineSnapshot {
  const bytes = new Uint8Array();
  const numbers = { rank: 0, renewal: 0, claims: 0 } as const;
  const flags = { wanted: "run", state: "member", awaited: false, greeted: true, why: "" } as const;
  return { engine, context: contextId("c"), info: bytes, stats: bytes, ...numbers, ...flags, ...is };
}

describe("Reunion", () => {
  it("waits for nobody as long as nothing was forgotten", () => {
    const reunion = new Reunion(300_000);
    expect(reunion.isDue([seen(one, { awaited: true })], 1e9)).toBe(false);
    expect(reunion.pending).toBe(false);
  });

  it("waits for each engine that it knows, and for so long as one that it does not know may live", () => {
    const reunion = new Reunion(300_000);
    expect(reunion.onForgotten(1000, true)).toBe(10_000);
    expect(reunion.isDue([seen(one), seen(two, { awaited: true })], 500_000)).toBe(false);
    expect(reunion.isDue([seen(one), seen(two)], 10_999)).toBe(false);
    expect(reunion.isDue([seen(one), seen(two)], 11_000)).toBe(true);
    expect(reunion.pending).toBe(true);
    reunion.onSettled();
    expect(reunion.pending).toBe(false);
  });

  it("waits no longer than a lease, and so long when nobody has looked yet", () => {
    expect(new Reunion(4000).onForgotten(0, true)).toBe(4000);
    expect(new Reunion(300_000).onForgotten(0, false)).toBe(300_000);
  });

  it("waits no more for one that was lost, and longer when it is forgotten once more", () => {
    const reunion = new Reunion(5000);
    reunion.onForgotten(0, true);
    expect(reunion.onForgotten(100, true)).toBe(5000);
    expect(reunion.isDue([seen(one, { state: "expelled", awaited: true })], 5099)).toBe(false);
    expect(reunion.isDue([seen(one, { state: "expelled", awaited: true })], 5100)).toBe(true);
  });
});
