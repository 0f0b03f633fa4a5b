import type { RenewAnswer } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import {
  type QueuedTask,
  attempt,
  decodeReport,
  encodeRunInfo,
  encodeTask,
  engineId,
  needsKey,
  protocolVersion,
  runId,
  taskId,
} from "@taskmuster/kvs/protocol";
import { afterEach, describe, expect, it, vi } from "vitest";
import { runInfo } from "../../kvs/test/run-info.js";
import type { EngineConfig } from "../src/engine-config.js";
import { Engine } from "../src/engine.js";
import type { Launcher, LauncherEvents, LaunchRequest } from "../src/launcher/launcher.js";
import { NoopLauncher } from "../src/launcher/noop-launcher.js";
import { until } from "./launcher/rig.js";

const run = runId("enginetest");
const leaseMs = 10_000;
const config: EngineConfig = {
  runId: run,
  address: { addresses: [], private: false },
  engine: "engine00",
  context: "T0",
  cores: 1,
  slots: 1,
  coresPerTask: 1,
  launcher: "noop",
  logLevel: "info",
  allocation: false,
  envResources: [],
  idleTimeoutMs: null,
};

/** A store that says something else than it should. */
class OddStore extends MemoryStore {
  refusals = 0;
  left = 0;
  silent = false;

  override async leave(...args: Parameters<MemoryStore["leave"]>): Promise<boolean> {
    this.left++;
    return this.left > this.refusals && super.leave(...args);
  }

  override renew(...args: Parameters<MemoryStore["renew"]>): Promise<RenewAnswer> {
    return this.silent ? new Promise<RenewAnswer>(() => undefined) : super.renew(...args);
  }
}

const ourRun = runInfo({
  cwd: process.cwd(),
  prefix: "/no/such/directory/run",
  leaseMs,
  graceMs: 0,
  defaults: { launcher: "noop" },
});

async function opened(launcher?: (events: LauncherEvents) => Launcher, given = ourRun) {
  const server = new MemoryServer();
  const driver = new MemoryStore(server, run);
  const info = encodeRunInfo(given);
  await driver.open(info);
  const store = new OddStore(server, run);
  const engine = new Engine(config, {
    store,
    connect: async () => new MemoryStore(server, run),
    starterGone: new Promise(() => undefined),
    launcher: async (events) => launcher?.(events) ?? new NoopLauncher(events),
  });
  return { server, driver, store, info, engine };
}

function queued(id: number): QueuedTask {
  const command = Buffer.from(`echo ${id}`);
  const task = { id: taskId(id), line: id, repeatIndex: -1, timeoutMs: null, attempt: attempt(1), command };
  return { id: task.id, attempt: task.attempt, needs: needsKey({ cores: 1 }), body: encodeTask(task) };
}

/** Tasks end when they are told to. */
class HandLauncher implements Launcher {
  readonly pid = undefined;
  readonly tags: number[] = [];
  readonly #events: LauncherEvents;
  readonly #running: number[] = [];
  readonly #waiting: number[] = [];

  constructor(events: LauncherEvents) {
    this.#events = events;
  }

  start = async (): Promise<void> => undefined;
  setSlots = (): void => undefined;
  setDeadline = (): void => undefined;
  close = async (): Promise<void> => undefined;
  stop = (): void => undefined;

  launch({ tag }: LaunchRequest): void {
    this.#running.push(tag);
  }

  enqueue({ tag }: LaunchRequest): void {
    if (this.#running.length > 0) return void this.#waiting.push(tag);
    this.tags.push(tag);
    this.#running.push(tag);
  }

  recall(): void {
    const tags = this.#waiting.splice(0);
    if (tags.length > 0) queueMicrotask(() => this.#events.onRecalled(tags));
  }

  /** What runs has ended well. */
  end(): void {
    const nothing = { bytes: 0, snippet: new Uint8Array(0) };
    const end = { pid: 9, start: 0, end: 60, elapsed: 60, out: nothing, err: nothing };
    const outcome = { kind: "exited", code: 0 } as const;
    const ended = this.#running.splice(0);
    for (const tag of this.#waiting.splice(0)) this.enqueue({ tag, command: new Uint8Array(), env: {} });
    this.#events.onEnds(
      ended.map((tag) => ({ tag, outcome, stopped: false, ...end, lastWords: new Uint8Array() })),
    );
  }
}

async function withHandLauncher() {
  let launcher: HandLauncher | null = null;
  const rig = await opened((events) => (launcher = new HandLauncher(events)));
  return { ...rig, launcher: (): HandLauncher | null => launcher };
}

describe("Engine", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  const hushed = (): void => void vi.spyOn(process.stderr, "write").mockReturnValue(true);

  it("asks again when the store does not let it go, and leaves then", async () => {
    hushed();
    const { driver, store, engine } = await opened();
    store.refusals = 2;
    const ran = engine.run();
    await until("that it has joined", async () => (await driver.snapshot()).engines.length === 1);
    engine.stop("SIGTERM", "order");
    await ran;
    expect(store.left).toBe(3);
    expect((await driver.snapshot()).engines[0]).toMatchObject({ state: "left", why: "SIGTERM" });
  });

  it("does not ask for ever", async () => {
    hushed();
    const { store, engine } = await opened();
    store.refusals = Infinity;
    const ran = engine.run();
    engine.stop("SIGTERM", "order");
    await expect(ran).rejects.toThrow("claims of this engine that it cannot give back");
    expect(store.left).toBe(4);
  });

  it("gives up when the store has not answered for two leases and half a minute", async () => {
    hushed();
    vi.useFakeTimers({
      toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
    });
    const { store, engine } = await opened();
    store.silent = true;
    let message = "";
    const ran = engine
      .run()
      .catch((error: unknown) => (message = error instanceof Error ? error.message : ""));
    await vi.advanceTimersByTimeAsync(2 * leaseMs + 29_000);
    expect(message).toBe("");
    await vi.advanceTimersByTimeAsync(3000);
    await ran;
    expect(message).toBe(
      "the key-value store has not answered for 51 s; all tasks here were killed long ago",
    );
  });

  it.each([
    [
      "of another version",
      { ...ourRun, version: (protocolVersion + 1) as typeof protocolVersion },
      "version",
    ],
    ["with a lease that is none", { ...ourRun, leaseMs: Number.NaN }, "leaseMs"],
  ])("leaves at once a run whose driver is %s, and says why", async (_, info, word) => {
    hushed();
    const { driver, engine } = await opened(undefined, info);
    await expect(engine.run()).rejects.toThrow(new RegExp(`malformed run info: ${word}`));
    expect((await driver.snapshot()).engines[0]).toMatchObject({
      state: "left",
      why: expect.stringContaining("malformed run info") as string,
    });
  });

  it("starts a launcher anew that died while it joined", async () => {
    hushed();
    const calls: string[] = [];
    const nothing = (): void => undefined;
    const { driver, engine } = await opened(() => ({
      pid: undefined,
      start: async () => void calls.push("start"),
      setSlots: () => void calls.push("slots"),
      launch: nothing,
      enqueue: nothing,
      recall: nothing,
      stop: nothing,
      setDeadline: nothing,
      close: async () => void calls.push("close"),
    }));
    const ran = engine.run();
    await until("that it has joined", async () => (await driver.snapshot()).engines.length === 1);
    engine.stop("SIGTERM", "order");
    await ran;
    expect(calls).toEqual(["start", "start", "slots", "close"]);
  });

  describe("whose store forgets", () => {
    it("announces itself when the run is there again, with what it runs, and reports it there", async () => {
      hushed();
      const { server, driver, info, launcher, engine } = await withHandLauncher();
      const token = await driver.open(info);
      await driver.publish(token, 1, [queued(5), queued(6)]);
      const ran = engine.run();
      await until("that it runs something", () => launcher()?.tags.length === 1);

      server.forget();
      const again = new MemoryStore(server, run);
      await until("that it is there", () => server.life === 2);
      // It ends before anybody can be told.
      launcher()?.end();
      const higher = await again.open(info, { above: token, nonce: "n", ranks: 4 });
      await until("that it is back", async () => (await again.snapshot()).engines.length === 1);
      expect((await again.snapshot()).engines[0]).toMatchObject({ rank: 0, awaited: false });
      expect(await again.greet(higher, engineId(config.engine))).toMatchObject({
        announced: [{ id: 5, attempt: 1 }],
        claimed: 1,
      });
      await until("its report", async () => (await again.receive(higher, 9)).reports.length === 1);
      const [{ number, body } = { number: 0, body: new Uint8Array() }] = (await again.receive(higher, 9))
        .reports;
      expect({ number, id: decodeReport(body).id }).toEqual({ number: 1, id: 5 });
      await again.acknowledge(higher, 1);

      // It goes on as before.
      await again.publish(higher, 1, [queued(7)]);
      await until("that it runs another", () => launcher()?.tags.length === 2);
      engine.stop("SIGTERM", "order");
      launcher()?.end();
      await until("its last report", async () => (await again.receive(higher, 9)).reports.length === 1);
      await again.acknowledge(higher, 2);
      await ran;
      expect((await again.snapshot()).engines[0]).toMatchObject({ state: "left", claims: 0 });
    });

    it("leaves in the next life when it forgot that it was leaving", async () => {
      hushed();
      const { server, driver, info, engine } = await withHandLauncher();
      const token = await driver.open(info);
      const ran = engine.run();
      await until("that it has joined", async () => (await driver.snapshot()).engines.length === 1);
      server.forget();
      engine.stop("SIGTERM", "order");
      const again = new MemoryStore(server, run);
      await again.open(info, { above: token, nonce: "n", ranks: 1 });
      await ran;
      expect((await again.snapshot()).engines).toMatchObject([{ state: "left", rank: 0 }]);
    });

    it("announces itself again when the store forgets once more", async () => {
      hushed();
      const { server, driver, info, launcher, engine } = await withHandLauncher();
      let token = await driver.open(info);
      await driver.publish(token, 1, [queued(5)]);
      const ran = engine.run();
      await until("that it runs something", () => launcher()?.tags.length === 1);
      for (let life = 2; life <= 4; life++) {
        server.forget();
        const again = new MemoryStore(server, run);
        token = await again.open(info, { above: token, nonce: "n", ranks: 1 });
        await until("that it is back", async () => (await again.snapshot()).engines[0]?.claims === 1);
      }
      const last = new MemoryStore(server, run);
      launcher()?.end();
      await until("its report", async () => (await last.receive(token, 9)).reports.length === 1);
      await last.acknowledge(token, 1);
      engine.stop("SIGTERM", "order");
      await ran;
    });

    it("gives up soon when the run was taken away from a server that has forgotten nothing", async () => {
      hushed();
      vi.useFakeTimers({
        toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
      });
      const { driver, info, engine } = await withHandLauncher();
      const token = await driver.open(info);
      let message = "";
      const ran = engine
        .run()
        .catch((error: unknown) => (message = error instanceof Error ? error.message : ""));
      await vi.advanceTimersByTimeAsync(100);
      await driver.close(token);
      await vi.advanceTimersByTimeAsync(8_000);
      expect(message).toBe("");
      await vi.advanceTimersByTimeAsync(8_000);
      await ran;
      expect(message).toMatch(/the run is over/);
    });
  });
});
