import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { type AddressInfo, type Server, createServer } from "node:net";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { KvsError } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { type Listen, type PrivateServer, parseEndpoint, startReachableServer } from "@taskmuster/kvs/server";
import { Redis } from "ioredis";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { freePort } from "../../src/server/free-port.js";
import { startPrivateServer } from "../../src/server/private-server.js";
import { testServers } from "../test-server.js";

const run = runId("reach000");
const parent = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
const servers: PrivateServer[] = [];
const others: Server[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  for (const other of others.splice(0)) await new Promise((resolve) => other.close(resolve));
  // What failed to start has left nothing either.
  expect(readdirSync(parent)).toEqual([]);
});
afterAll(() => {
  rmSync(parent, { recursive: true });
});

/** Somebody else who listens. */
async function occupied(): Promise<number> {
  const other = createServer();
  others.push(other);
  await new Promise<void>((resolve) => {
    other.listen(0, resolve);
  });
  return (other.address() as AddressInfo).port;
}

function portOf(address: string): number {
  const endpoint = parseEndpoint(address);
  return endpoint.kind === "tcp" ? endpoint.port : 0;
}

async function open(server: PrivateServer, address: string): Promise<void> {
  const only = { ...server.address, addresses: [address] };
  const store = await connectRedisStore({ address: only, runId: run, role: "engine" });
  await store.disconnect();
}

describe.each(testServers().filter(({ binary }) => binary !== undefined))(
  "a private $name for other hosts too",
  ({ binary = "" }) => {
    async function start(listen: Listen, findPort?: () => Promise<number>): Promise<PrivateServer> {
      const server = await startReachableServer({ binary, runId: run, directory: parent, listen }, findPort);
      servers.push(server);
      return server;
    }

    it("listens on its socket, named first, and at all the addresses that it names", async () => {
      const server = await start({ kind: "everywhere" });
      const [socket = "", ...tcp] = server.address.addresses;
      expect(socket).toMatch(/^unix:/);
      await open(server, socket);
      const ports = new Set(tcp.map(portOf));
      expect(ports.size).toBeLessThan(2);
      for (const address of tcp) {
        if (!address.includes(hostname())) await open(server, address);
      }
    });

    it("is published as exactly what it was told, and lets nobody in without the password", async () => {
      const server = await start({ kind: "as", host: "some-name.invalid", port: null });
      const [, address = "", ...more] = server.address.addresses;
      expect(address).toMatch(/^rediss:\/\/some-name\.invalid:\d+$/);
      expect(more).toEqual([]);
      const url = `rediss://127.0.0.1:${portOf(address)}`;
      await open(server, url);
      await expect(
        open({ ...server, address: { ...server.address, password: "guess" } }, url),
      ).rejects.toThrow(/wrong password/);
      const { password: _, ...without } = server.address;
      await expect(open({ ...server, address: without }, url)).rejects.toThrow(/wants a password/);
    });

    it("listens at nothing but the address that was named, when it is one of this host", async () => {
      const server = await start({ kind: "as", host: "127.0.0.1", port: null });
      const port = portOf(server.address.addresses[1] ?? "");
      await open(server, `rediss://127.0.0.1:${port}`);
      await expect(open(server, `rediss://127.0.0.2:${port}`)).rejects.toThrow(/connection refused/);
    });

    it("starts again with another port when somebody was faster", async () => {
      const taken = await occupied();
      const free = await freePort();
      const ports = [taken, taken, free];
      const server = await start(
        { kind: "as", host: "127.0.0.2", port: null },
        async () => ports.shift() ?? 0,
      );
      expect(ports).toEqual([]);
      const address = `rediss://127.0.0.2:${free}`;
      expect(server.address.addresses.slice(1)).toEqual([address]);
      await open(server, address);
      expect(readdirSync(parent)).toHaveLength(1);
    });

    it("says so when the port that was named is taken", async () => {
      const port = await occupied();
      const starting = start({ kind: "as", host: "node01", port });
      await expect(starting).rejects.toThrow(KvsError);
      await expect(starting).rejects.toThrow(
        new RegExp(
          `^--use-address: .* cannot listen on port ${port} of .*: something else listens there; name`,
        ),
      );
      const server = await start({ kind: "as", host: "node01", port: await freePort() });
      expect(server.address.addresses).toHaveLength(2);
    });

    it("is like any other private server otherwise: gone without a trace when stopped", async () => {
      const server = await start({ kind: "everywhere" });
      await server.ready;
      await server.stop();
      expect((await server.exited).signal).toBe("SIGKILL");
      expect(existsSync(server.directory)).toBe(false);
    });

    it("listens at no port when nobody said so", async () => {
      const server = startPrivateServer({ binary, runId: run, directory: parent });
      servers.push(server);
      await server.ready;
      expect(server.address.addresses).toHaveLength(1);
      // It takes connections before it has said all that it says at its start.
      await vi.waitFor(
        () => expect(readFileSync(join(server.directory, "server.log"), "utf8")).toMatch(/port=0\b/),
        { timeout: 20_000 },
      );
    });

    it("takes as many connections as the system lets it, whatever the soft limit of open files", async () => {
      const server = await start({ kind: "everywhere" });
      const limits = readFileSync(`/proc/${server.pid}/limits`, "utf8");
      const [, soft = "", hard = ""] = /^Max open files +(\S+) +(\S+)/m.exec(limits) ?? [];
      const endpoint = parseEndpoint(server.address.addresses[0] ?? "");
      if (endpoint.kind !== "unix") expect.fail("the socket comes first");
      const admin = new Redis({ path: endpoint.path, password: server.address.password ?? "", protocol: 2 });
      try {
        const most = Number(/^maxclients:(\d+)/m.exec(await admin.info("clients"))?.[1]);
        expect(most).toBe(Math.min(20_000, Number(soft) - 32));
        expect(Number(soft)).toBeGreaterThanOrEqual(Math.min(20_000, Number(hard) || Infinity));
      } finally {
        admin.disconnect();
      }
    });
  },
);

describe("a server for other hosts that does not start", () => {
  it("says why, once", async () => {
    let asked = 0;
    const starting = startReachableServer(
      { binary: "/bin/false", runId: run, directory: parent, listen: { kind: "everywhere" } },
      () => {
        asked++;
        return freePort();
      },
    );
    await expect(starting).rejects.toThrow(/cannot start a private server: \/bin\/false ended/);
    expect(asked).toBe(1);
  });
});
