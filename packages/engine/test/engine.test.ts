import type { RenewAnswer } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { encodeRunInfo, protocolVersion, runId } from "@taskmuster/kvs/protocol";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { EngineConfig } from "../src/engine-config.js";
import { Engine } from "../src/engine.js";
import type { Launcher } from "../src/launcher/launcher.js";
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

async function opened(launcher?: Launcher) {
  const server = new MemoryServer();
  const driver = new MemoryStore(server, run);
  await driver.open(
    encodeRunInfo({
      version: protocolVersion,
      jobId: "job",
      nameTasks: "tasks",
      cwd: process.cwd(),
      prefix: "/no/such/directory/run",
      leaseMs,
      graceMs: 0,
      perEngine: { start: [], stop: [] },
      startMustSucceed: false,
      defaults: {
        cpusPerTask: null,
        tasksPerNode: null,
        envResources: [],
        idleTimeoutMs: null,
        launcher: "noop",
        logLevel: "info",
      },
    }),
  );
  const store = new OddStore(server, run);
  const engine = new Engine(config, {
    store,
    starterGone: new Promise(() => undefined),
    launcher: async (events) => launcher ?? new NoopLauncher(events),
  });
  return { driver, store, engine };
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

  it("starts a launcher anew that died while it joined", async () => {
    hushed();
    const calls: string[] = [];
    const nothing = (): void => undefined;
    const { driver, engine } = await opened({
      pid: undefined,
      start: async () => void calls.push("start"),
      setSlots: () => void calls.push("slots"),
      launch: nothing,
      enqueue: nothing,
      recall: nothing,
      stop: nothing,
      setDeadline: nothing,
      close: async () => void calls.push("close"),
    });
    const ran = engine.run();
    await until("that it has joined", async () => (await driver.snapshot()).engines.length === 1);
    engine.stop("SIGTERM", "order");
    await ran;
    expect(calls).toEqual(["start", "start", "slots", "close"]);
  });
});
