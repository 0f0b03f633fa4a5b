import { readFileSync } from "node:fs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { decodeRunState, encodeContextInfo, encodeRequest, protocolVersion } from "@taskmuster/kvs/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Driver } from "../src/driver.js";
import { alice, bob } from "./core/driver-rig.js";
import { HandEngine, driverOf, openRun, run } from "./hand-engine.js";
import { usePlace } from "./place.js";

const path = usePlace();
const version = protocolVersion;

describe("a driver whose engines others start", () => {
  let server: MemoryServer;
  let store: MemoryStore;
  let hands: HandEngine[];
  let notices: string[];

  beforeEach(() => {
    server = new MemoryServer();
    store = new MemoryStore(server, run);
    hands = [];
    notices = [];
  });

  afterEach(async () => {
    for (const hand of hands) await hand.disconnect();
    await store.disconnect();
  });

  async function start(tasks: number, serves = true): Promise<Driver> {
    const token = await openRun(store, path("p"));
    const onNotice = (message: string): number => notices.push(message);
    return driverOf({ store, path, tasks, contexts: [], serves, onNotice }, token);
  }

  async function join(id = alice): Promise<HandEngine> {
    const hand = new HandEngine(server, id);
    hands.push(hand);
    await hand.join();
    return hand;
  }

  /** All that it can get, until it is told to go. */
  async function workUntilTold(hand: HandEngine): Promise<void> {
    for (;;) {
      const { tasks, wanted } = await hand.exchange(1);
      if (tasks.length > 0) await hand.exchange(0, ...tasks);
      else if (wanted !== "run") return;
      // The memory store answers within this turn of the loop: let others have theirs.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async function ask(request: Parameters<typeof encodeRequest>[0]): Promise<void> {
    expect(await store.ask(encodeRequest(request))).toBe(true);
  }

  it("waits for them, lets them come and go, and ends when the list is done and the last has left", async () => {
    const driver = await start(5);
    const ended = driver.run();
    const first = await join();
    await first.exchange(0, ...(await first.claim(2)));
    await first.leave();
    // Nobody is there now, and the run goes on waiting.
    await vi.waitFor(async () => expect(driver.view.done).toBe(2));
    const second = await join(bob);
    await workUntilTold(second);
    await second.leave();
    expect(await ended).toMatchObject({ done: 5, reason: { kind: "finished" } });
  });

  it("without being told to serve ends when nobody is left to work", async () => {
    const driver = await start(3, false);
    const hand = await join();
    const ended = driver.run();
    await hand.exchange(0, ...(await hand.claim(1)));
    await hand.leave();
    expect((await ended).reason?.kind).toBe("noEngines");
  });

  it("tells monitors once a second how the run is doing", async () => {
    const driver = await start(2);
    const hand = await join();
    const ended = driver.run();
    await hand.exchange(0, ...(await hand.claim(1)));
    await vi.waitFor(
      async () => {
        const { state } = await store.snapshot();
        expect(decodeRunState(state)).toMatchObject({
          prefix: path("p"),
          total: 2,
          done: 1,
          failed: 0,
          serves: true,
          phase: "running",
          reason: "",
        });
      },
      { timeout: 5_000 },
    );
    await workUntilTold(hand);
    await hand.leave();
    await ended;
  });

  it("lets an engine go when somebody asks for it, and the run goes on", async () => {
    const driver = await start(2);
    const ended = driver.run();
    const first = await join();
    await ask({ kind: "order", version, scope: "engine", name: alice, wanted: "drain", by: "ann@login" });
    await vi.waitFor(async () => expect((await first.exchange(0)).wanted).toBe("drain"), { timeout: 5_000 });
    await first.leave();
    expect(notices).toEqual(["engine 0 on vm is to finish what it runs and leave (asked by ann@login)"]);
    expect(driver.view.phase).toBe("running");
    const second = await join(bob);
    expect((await second.exchange(0)).wanted).toBe("run");
    await workUntilTold(second);
    await second.leave();
    expect((await ended).reason?.kind).toBe("finished");
  });

  it("ends softly or hard when somebody asks for it", async () => {
    const driver = await start(3);
    const ended = driver.run();
    const hand = await join();
    const tasks = await hand.claim(1);
    await ask({ kind: "order", version, scope: "run", name: "", wanted: "drain", by: "ann@login" });
    await vi.waitFor(async () => expect((await hand.exchange(0)).wanted).toBe("drain"), { timeout: 5_000 });
    await hand.exchange(0, ...tasks);
    await hand.leave();
    expect(await ended).toMatchObject({
      done: 1,
      reason: { kind: "drained", signal: "dbutil stop (ann@login)" },
    });
  });

  it("offers again at once what an engine had whose starter has proof of its death", async () => {
    const driver = await start(1);
    const ended = driver.run();
    const first = await join();
    await first.claim(1);
    await ask({ kind: "dead", version, engine: alice, why: "engine ended with signal SIGKILL" });
    const second = await join(bob);
    await vi.waitFor(async () => expect((await store.snapshot()).queued).toBe(1), { timeout: 5_000 });
    expect(notices[0]).toContain("engine 0 on vm is lost (engine ended with signal SIGKILL)");
    await workUntilTold(second);
    await second.leave();
    expect(await ended).toMatchObject({ done: 1, lost: 1 });
    expect(readFileSync(path("p_ledger"), "utf8")).toContain('"why":"engine ended with signal SIGKILL"');
  });

  it("passes over a request that it cannot read", async () => {
    const driver = await start(1);
    const ended = driver.run();
    expect(await store.ask(Buffer.from("nonsense"))).toBe(true);
    await ask({ kind: "order", version, scope: "run", name: "", wanted: "stop", by: "x" });
    expect((await ended).reason).toMatchObject({ kind: "stopped" });
  });

  it("lets a context go that has run as many tasks as it may", async () => {
    const driver = await start(3);
    const ended = driver.run();
    const first = new HandEngine(server, alice);
    hands.push(first);
    await store.enrol({
      label: first.context.id,
      exactLabel: true,
      nonce: "n",
      limit: 2,
      info: encodeContextInfo({
        version,
        kind: "ssh",
        host: "vm",
        pid: 2,
        startedAt: 0,
        limit: 2,
        nodes: [],
        ended: "",
      }),
    });
    await first.join();
    await first.exchange(0, ...(await first.claim(2)));
    await vi.waitFor(async () => expect((await first.exchange(1)).wanted).toBe("drain"), { timeout: 10_000 });
    await first.leave();
    const second = await join(bob);
    await workUntilTold(second);
    await second.leave();
    expect((await ended).done).toBe(3);
  });
});
