import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KvsStore, addressForEngines } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import {
  type KvsAddress,
  type PrivateServer,
  adoptServer,
  restartPrivateServer,
  startPrivateServer,
  startReachableServer,
} from "@taskmuster/kvs/server";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { ask, deposited } from "../../src/server/deposit.js";
import { isProcessAlive } from "../../src/server/process-alive.js";
import { testServers } from "../test-server.js";

const run = runId("adopted0");
const parent = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
const cleanUp: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
  expect(readdirSync(parent)).toEqual([]);
});
afterAll(() => {
  rmSync(parent, { recursive: true });
});

async function connect(address: KvsAddress, role: "driver" | "engine"): Promise<KvsStore> {
  const store = await connectRedisStore({ address, runId: run, role, waitMs: 10_000 });
  cleanUp.push(() => store.disconnect());
  return store;
}

function kill(pid: number | undefined): void {
  if (pid === undefined || pid <= 1) throw new Error("no process to kill");
  process.kill(pid, "SIGKILL");
}

describe.each(testServers().filter(({ binary }) => binary !== undefined))(
  "a private $name that is adopted",
  ({ binary = "" }) => {
    async function start(reachable: boolean): Promise<PrivateServer> {
      const options = { binary, runId: run, directory: parent };
      const server = reachable
        ? await startReachableServer({ ...options, listen: { kind: "as", host: "127.0.0.1", port: null } })
        : startPrivateServer(options);
      cleanUp.push(() => server.stop());
      await server.ready;
      return server;
    }

    async function adopt(address: KvsAddress) {
      const adopted = await adoptServer({ ...address, runId: run });
      if (adopted === null) expect.fail("it was not found");
      return adopted;
    }

    it.each([
      ["on this host only", false],
      ["for other hosts too", true],
    ])("is started again as the same by who adopted it: one that listens %s", async (_, reachable) => {
      const server = await start(reachable);
      const adopted = await adopt(server.address);
      expect([adopted.pid, adopted.directory]).toEqual([server.pid, server.directory]);
      kill(server.pid);
      expect(await adopted.exited).toMatchObject({ code: null, signal: null });
      if (adopted.identity === null) expect.fail("nobody knows how to start it again");
      const again = restartPrivateServer(binary, adopted.identity);
      cleanUp.push(() => again.stop());
      await again.ready;
      expect(again.address).toEqual(server.address);
      await (await connect(server.address, "driver")).open(Buffer.from("info"));
      // By the network, and for no other server than the one of before.
      const { addresses } = server.address;
      const far = { ...addressForEngines(server.address), addresses: addresses.slice(reachable ? 1 : 0) };
      await connect(far, "engine");
      // And once more, by the next one.
      expect((await adopt(again.address)).identity).toEqual(adopted.identity);
    });

    it("is watched for as long as it lives, and ended when that is asked for", async () => {
      const server = await start(false);
      const adopted = await adopt(server.address);
      expect(isProcessAlive(adopted.pid)).toBe(true);
      await adopted.stop();
      await Promise.all([adopted.exited, adopted.stop()]);
      expect(isProcessAlive(adopted.pid)).toBe(false);
      expect(readdirSync(parent)).toEqual([]);
    });

    it("shows engines nothing of the key of its certificate", async () => {
      const server = await start(true);
      const engine = addressForEngines(server.address);
      await connect(engine, "engine");
      const asEngine = await ask(engine, ({ client }) =>
        client.call("EVAL", "return redis.call('GET', 'taskmuster:server')", 0),
      );
      expect([asEngine, await ask(engine, (session) => deposited(session))]).toEqual([null, null]);
      expect((await adopt(server.address)).identity?.tcp?.tls?.key).toContain("PRIVATE KEY");
    });
  },
);
