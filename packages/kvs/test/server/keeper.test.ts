import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { KvsStore } from "@taskmuster/kvs";
import { contextId, encodeEngineInfo, engineId, protocolVersion } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { readAddressFile, writeAddressFile } from "@taskmuster/kvs/server";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { isProcessAlive } from "../../src/server/process-alive.js";
import { quietBeat } from "../quiet-beat.js";
import { onPath } from "../test-server.js";

const binary = onPath("redis-server") ?? "";
const engine = engineId("engine01");

interface Pids {
  readonly server: number;
  readonly keeper: number;
  readonly directory: string;
}

describe.skipIf(binary === "")("the keeper of a private server", () => {
  let directory: string;
  let addressFile: string;
  let parent: ChildProcess | undefined;
  let pids: Pids | undefined;
  const stores: KvsStore[] = [];
  const bundles = mkdtempSync(join(tmpdir(), "taskmuster-test-"));

  beforeAll(async () => {
    await build({
      entryPoints: [
        { in: fileURLToPath(new URL("../../src/server/keeper-main.ts", import.meta.url)), out: "keeper" },
        { in: fileURLToPath(new URL("./keeper-parent.ts", import.meta.url)), out: "parent" },
      ],
      outdir: bundles,
      outExtension: { ".js": ".mjs" },
      bundle: true,
      platform: "node",
      format: "esm",
      loader: { ".lua": "text" },
      external: ["redis-memory-server"],
      banner: { js: 'import { createRequire as r } from "node:module"; const require = r(import.meta.url);' },
      logLevel: "error",
    });
  });
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "taskmuster test-"));
    addressFile = join(directory, "the kvsinfo.txt");
    pids = undefined;
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.disconnect()));
    parent?.kill("SIGKILL");
    for (const pid of [pids?.keeper, pids?.server]) {
      if (pid !== undefined && pid > 1 && isProcessAlive(pid)) process.kill(pid, "SIGKILL");
    }
    rmSync(directory, { recursive: true, force: true });
  });
  afterAll(() => {
    rmSync(bundles, { recursive: true });
  });

  async function startDriver(leaseMs: number, publishedAs = ""): Promise<Pids> {
    const script = join(bundles, "parent.mjs");
    const args = [
      script,
      binary,
      directory,
      join(bundles, "keeper.mjs"),
      addressFile,
      `${leaseMs}`,
      publishedAs,
    ];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    parent = child;
    const line = await new Promise<string>((resolve, reject) => {
      child.stdout.once("data", (data: Buffer) => {
        resolve(data.toString());
      });
      child.once("exit", () => {
        reject(new Error("the driver ended"));
      });
    });
    const found = JSON.parse(line) as Pids;
    pids = found;
    return found;
  }

  /** A client that holds a lease, on some machine, with some process id. */
  async function joinEngine(host: string, pid: number): Promise<KvsStore> {
    const address = readAddressFile(addressFile);
    const store = await connectRedisStore({ address, runId: address.runId, role: "engine" });
    stores.push(store);
    const info = encodeEngineInfo({ version: protocolVersion, host, pid, slots: 1, cores: 1, endsAt: null });
    await store.join({ engine, context: contextId("ctx"), info });
    return store;
  }

  async function everythingIsGone({ server, keeper, directory: socketDirectory }: Pids): Promise<void> {
    await vi.waitFor(
      () => {
        const left = {
          server: isProcessAlive(server),
          keeper: isProcessAlive(keeper),
          directory: existsSync(socketDirectory),
          addressFile: existsSync(addressFile),
        };
        expect(left).toEqual({ server: false, keeper: false, directory: false, addressFile: false });
      },
      { timeout: 30_000, interval: 50 },
    );
  }

  it("ends the server soon after a driver that was killed, when there is no engine", async () => {
    const started = await startDriver(300_000);
    parent?.kill("SIGKILL");
    await everythingIsGone(started);
  });

  it("ends a server that is there for other hosts too, whatever its other addresses lead to", async () => {
    const started = await startDriver(300_000, "no-such-host.invalid");
    expect(readAddressFile(addressFile).addresses).toHaveLength(2);
    parent?.kill("SIGKILL");
    await everythingIsGone(started);
  });

  it("is one sleeping shell in good times, and goes when it is told that all is done", async () => {
    const started = await startDriver(300_000);
    const { stdout } = spawnSync("ps", ["-p", `${started.keeper}`, "-o", "sid=,comm="], { encoding: "utf8" });
    expect(stdout.trim().split(/\s+/)).toEqual([`${started.keeper}`, expect.stringMatching(/sh$/)]);
    const ended = new Promise((resolve) => parent?.once("exit", resolve));
    parent?.stdin?.write("end\n");
    expect(await ended).toBe(0);
    expect(isProcessAlive(started.keeper)).toBe(false);
    expect(isProcessAlive(started.server)).toBe(false);
    expect(existsSync(started.directory)).toBe(false);
  });

  it("waits while an engine elsewhere renews its lease, and until that has run out", async () => {
    const started = await startDriver(1_000);
    const store = await joinEngine("some-other-machine", process.pid);
    parent?.kill("SIGKILL");
    // Longer than a driver is waited for.
    for (let counter = 1; counter <= 20; counter++) {
      await store.renew({ engine, counter, stats: Buffer.from("") });
      await sleep(100);
    }
    expect(isProcessAlive(started.server)).toBe(true);
    expect((await store.snapshot()).open).toBe(true);
    await store.disconnect();
    await everythingIsGone(started);
  });

  it("does not wait for the lease of an engine whose process on this machine is gone", async () => {
    const started = await startDriver(300_000);
    const { pid: gone } = spawnSync("/bin/true");
    await joinEngine(hostname(), gone);
    parent?.kill("SIGKILL");
    await everythingIsGone(started);
  });

  it("waits for an engine whose process on this machine is there", async () => {
    const started = await startDriver(300_000);
    const alive = spawn("/bin/sleep", ["1000"], { stdio: "ignore" });
    const exited = new Promise((resolve) => alive.once("exit", resolve));
    try {
      if (alive.pid === undefined) expect.fail("it was not started");
      await joinEngine(hostname(), alive.pid);
      parent?.kill("SIGKILL");
      await sleep(2_000);
      expect(isProcessAlive(started.server)).toBe(true);
    } finally {
      alive.kill("SIGKILL");
      await exited;
    }
    await everythingIsGone(started);
  });

  it("waits for a server that is there and cannot be reached", async () => {
    const started = await startDriver(300_000);
    const { pid: gone } = spawnSync("/bin/true");
    await joinEngine(hostname(), gone);
    const [socket, away] = ["kvs.sock", "away"].map((name) => join(started.directory, name));
    if (socket === undefined || away === undefined) expect.fail("no names");
    renameSync(socket, away);
    parent?.kill("SIGKILL");
    await vi.waitFor(
      () => expect(readFileSync(`/proc/${started.keeper}/cmdline`, "utf8")).toMatch(/^[^\0]*node\0/),
      10_000,
    );
    // Longer than a connection is waited for.
    await sleep(5_000);
    expect(isProcessAlive(started.server)).toBe(true);
    renameSync(away, socket);
    await everythingIsGone(started);
  });

  it("leaves the server to a new driver, and cleans up when that one has ended it", async () => {
    const started = await startDriver(300_000);
    const address = readAddressFile(addressFile);
    parent?.kill("SIGKILL");
    const store = await connectRedisStore({ address, runId: address.runId, role: "driver" });
    stores.push(store);
    const token = await store.open(Buffer.from(""));
    for (let beats = 0; beats < 20; beats++) {
      await store.beat(token, quietBeat);
      await sleep(100);
    }
    expect(isProcessAlive(started.server)).toBe(true);
    process.kill(started.server, "SIGKILL");
    await everythingIsGone(started);
  });

  it("cleans up behind a server that went together with its driver", async () => {
    const started = await startDriver(300_000);
    process.kill(started.server, "SIGKILL");
    parent?.kill("SIGKILL");
    await everythingIsGone(started);
  });

  it("ends a server whose address was never written", async () => {
    const started = await startDriver(300_000);
    rmSync(addressFile);
    parent?.kill("SIGKILL");
    await everythingIsGone(started);
  });

  it("leaves an address file alone that a new driver has written for another server", async () => {
    const started = await startDriver(300_000);
    const other = { ...readAddressFile(addressFile), addresses: ["redis://host:1"] };
    writeAddressFile(addressFile, other);
    parent?.kill("SIGKILL");
    await vi.waitFor(
      () => {
        expect([started.server, started.keeper].map((pid) => isProcessAlive(pid))).toEqual([false, false]);
      },
      { timeout: 30_000, interval: 50 },
    );
    expect(readAddressFile(addressFile)).toEqual(other);
  });
});
