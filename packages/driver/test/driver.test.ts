import { readFileSync } from "node:fs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import type { EngineId } from "@taskmuster/kvs/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Driver } from "../src/driver.js";
import { alice, bob } from "./core/driver-rig.js";
import { HandEngine, driverOf, openRun, run } from "./hand-engine.js";
import { usePlace } from "./place.js";

const path = usePlace();
describe("Driver", () => {
  let server: MemoryServer;
  let store: MemoryStore;
  let hands: HandEngine[];

  beforeEach(() => {
    server = new MemoryServer();
    store = new MemoryStore(server, run);
    hands = [];
  });

  afterEach(async () => {
    for (const hand of hands) await hand.disconnect();
    await store.disconnect();
  });

  async function start(tasks: number, engines: readonly EngineId[]): Promise<Driver> {
    const token = await openRun(store, path("p"));
    hands = engines.map((id) => new HandEngine(server, id));
    for (const hand of hands) await hand.join();
    const contexts = hands.map(({ context }) => context);
    return driverOf({ store, path, tasks, contexts, serves: false }, token);
  }

  /** Flags and id of each row. */
  function rows(): readonly string[] {
    const lines = readFileSync(path("p_status.txt"), "utf8").split("\n").slice(0, -1);
    return lines.map((line) => line.split("\t").slice(0, 2).join("|"));
  }

  it("works a list through, and ends as soon as its last context is gone", async () => {
    const driver = await start(40, [alice]);
    const ended = driver.run();
    const [hand] = hands;
    // More than are published at a time before the driver knows how fast they end.
    for (let round = 0; round < 4; round++) await hand?.exchange(0, ...((await hand.claim(10)) ?? []));
    const bells = vi.spyOn(store, "waitForBell");
    await hand?.leave();
    const view = await ended;
    // It has not waited until no bell came.
    expect(bells.mock.settledResults).not.toContainEqual({ type: "fulfilled", value: "timeout" });
    expect(view).toMatchObject({ done: 40, phase: "ended", reason: { kind: "finished" } });
    expect(rows()).toEqual(Array.from({ length: 40 }, (_, id) => `    |${id}`));
    expect(readFileSync(path("p_ledger"), "utf8")).toContain('"kind":"end"');
    expect(readFileSync(path("p_ledger"), "utf8")).toContain('"reason":"finished","done":40');
  });

  it("has a row on disk before its report is acknowledged", async () => {
    const driver = await start(1, [alice]);
    const ended = driver.run();
    const [hand] = hands;
    await hand?.exchange(0, ...((await hand.claim(1)) ?? []));
    await vi.waitFor(async () => expect((await hand?.exchange(0))?.acknowledged).toBe(1));
    expect(rows()).toEqual(["    |0"]);
    await hand?.leave();
    await ended;
  });

  it("offers the tasks of a dead context again, and takes a late success while nobody has claimed the new offer", async () => {
    const driver = await start(1, [alice, bob]);
    const ended = driver.run();
    const [first, second] = hands;
    const tasks = (await first?.claim(1)) ?? [];
    first?.die("engine ended with signal SIGKILL");
    await vi.waitFor(async () => expect((await store.snapshot()).queued).toBe(1));
    await first?.exchange(0, ...tasks);
    await vi.waitFor(() => expect(driver.view.done).toBe(1));
    expect((await store.snapshot()).queued).toBe(0);
    await second?.leave();
    expect((await ended).reason).toEqual({ kind: "finished" });
    expect(rows()).toEqual(["    |0"]);
    expect(readFileSync(path("p_ledger"), "utf8")).toContain(
      '"why":"engine ended with signal SIGKILL","tasks":[{"id":0,"attempt":1}]',
    );
  });

  it("flags a late success when another engine has claimed the new offer", async () => {
    const driver = await start(1, [alice, bob]);
    const ended = driver.run();
    const [first, second] = hands;
    const tasks = (await first?.claim(1)) ?? [];
    first?.die("killed");
    const again = (await second?.claim(1)) ?? [];
    expect(again.map(({ id, attempt }) => [id, attempt])).toEqual([[0, 2]]);
    await first?.exchange(0, ...tasks);
    await vi.waitFor(() => expect(rows()).toEqual(["   Z|0"]));
    await second?.exchange(0, ...again);
    await second?.leave();
    expect((await ended).done).toBe(1);
    expect(rows()).toEqual(["   Z|0", "    |0"]);
  });

  it("says that no engine is left when the last context dies with work to do", async () => {
    const driver = await start(2, [alice]);
    const ended = driver.run();
    await hands[0]?.claim(1);
    hands[0]?.die("engine ended with exit status 1: no perl");
    expect((await ended).reason).toEqual({
      kind: "noEngines",
      message: "engine ended with exit status 1: no perl",
    });
    expect(rows()).toEqual([]);
  });

  it("ends at once when another driver takes the run over, and touches nothing of it any more", async () => {
    const driver = await start(1, [alice]);
    const ended = driver.run();
    const [hand] = hands;
    const tasks = (await hand?.claim(1)) ?? [];
    const other = new MemoryStore(server, run);
    await other.takeOver();
    await hand?.exchange(0, ...tasks);
    expect((await ended).reason).toEqual({ kind: "fenced" });
    expect(driver.wasFenced).toBe(true);
    // Its engine may still be there: it is the other driver's now.
    expect((await other.snapshot()).engines).toMatchObject([
      { engine: alice, state: "member", wanted: "run" },
    ]);
    driver.kill();
    expect((await other.snapshot()).engines).toMatchObject([{ state: "member" }]);
    hand?.die("");
    expect(rows()).toEqual([]);
    await other.disconnect();
  });
});
