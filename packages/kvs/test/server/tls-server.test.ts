import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvsError, KvsLostError, type KvsStore, addressForEngines } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import {
  type KvsAddress,
  type PrivateServer,
  parseEndpoint,
  restartPrivateServer,
  startPrivateServer,
  startReachableServer,
} from "@taskmuster/kvs/server";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { makeCertificate } from "../../src/server/certificate.js";
import { type Impostor, startImpostor } from "../impostor.js";
import { testServers } from "../test-server.js";

const run = runId("tlstest0");
const parent = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
const cleanUp: (() => Promise<unknown>)[] = [];
const facts = { timeout: 20_000, interval: 20 };

afterEach(async () => {
  for (const step of cleanUp.splice(0).toReversed()) await step();
  expect(readdirSync(parent)).toEqual([]);
});
afterAll(() => {
  rmSync(parent, { recursive: true });
});

/** By the network only, as an engine on another host. */
function overNetwork(address: KvsAddress): KvsAddress {
  const { port } = tcpOf(address);
  const scheme = address.certificate === undefined ? "redis" : "rediss";
  return { ...addressForEngines(address), addresses: [`${scheme}://127.0.0.1:${port}`] };
}

function tcpOf(address: KvsAddress) {
  const tcp = address.addresses.map(parseEndpoint).find(({ kind }) => kind === "tcp");
  if (tcp?.kind !== "tcp") expect.fail("it listens nowhere");
  return tcp;
}

async function connect(address: KvsAddress, onDown?: () => void): Promise<KvsStore> {
  const store = await connectRedisStore({
    address,
    runId: run,
    role: "engine",
    onEvent: ({ kind }) => (kind === "down" ? onDown?.() : undefined),
  });
  cleanUp.push(() => store.disconnect());
  return store;
}

async function impostor(port: number, tls?: { certificate: string; key: string }): Promise<Impostor> {
  const taker = await startImpostor(port, tls);
  cleanUp.push(() => taker.close());
  return taker;
}

function kill({ pid }: PrivateServer): void {
  if (pid === undefined || pid <= 1) throw new Error("the server was not started");
  process.kill(pid, "SIGKILL");
}

describe.each(testServers().filter(({ binary }) => binary !== undefined))(
  "a private $name for other hosts",
  ({ binary = "" }) => {
    async function start(program = binary): Promise<PrivateServer> {
      const listen = { kind: "as", host: "node01.invalid", port: null } as const;
      const server = await startReachableServer({ binary: program, runId: run, directory: parent, listen });
      cleanUp.push(() => server.stop());
      return server;
    }

    it("speaks TLS there, with a certificate of its own, whose key it does not leave on disk", async () => {
      const server = await start();
      const { address } = server;
      expect(tcpOf(address)).toMatchObject({ tls: true, host: "node01.invalid" });
      await connect(overNetwork(address));
      expect(readdirSync(server.directory).toSorted()).toEqual(["kvs.sock", "server.log"]);
      const other = await start();
      expect(other.address.certificate).not.toBe(address.certificate);
    });

    it("speaks nothing else there", async () => {
      const { address } = await start();
      const plain = { ...overNetwork(address), addresses: [`redis://127.0.0.1:${tcpOf(address).port}`] };
      await expect(connect(plain)).rejects.toThrow(/does it want TLS \(rediss:\/\/\)\?/);
    });

    it("lets engines in with a secret of their own, with which they cannot act as the run's owner", async () => {
      const { address } = await start();
      const engine = await connect(overNetwork(address));
      const owner = await connect({ ...address, addresses: address.addresses.slice(0, 1) });
      await owner.open(Buffer.from("info"));
      expect((await engine.snapshot().catch((error: unknown) => error)) instanceof KvsError).toBe(true);
      await expect(engine.ask(Buffer.from("request"))).rejects.toThrow(KvsError);
      expect(addressForEngines(address).password).not.toBe(address.password);
    });

    it("is not mistaken for another server, and the other way round", async () => {
      const [one, other] = [await start(), await start()];
      const wrong = { ...overNetwork(one.address), addresses: overNetwork(other.address).addresses };
      await expect(connect(wrong)).rejects.toThrow(/another server: it has not this run's certificate/);
      const { certificate: _, ...without } = overNetwork(one.address);
      await expect(connect(without)).rejects.toThrow(/has no certificate for it/);
    });

    it.each([
      ["speaks no TLS", () => undefined],
      [
        "has a certificate of its own for the same names",
        () => makeCertificate(["node01.invalid", "127.0.0.1"]),
      ],
    ])("tells whoever takes its port after its death nothing: one that %s", async (_what, identity) => {
      const server = await start();
      const address = overNetwork(server.address);
      let isDown = false;
      const store = await connect(address, () => {
        isDown = true;
      });
      kill(server);
      await vi.waitFor(() => expect(isDown).toBe(true), facts);
      const { port } = tcpOf(server.address);
      const taker = await impostor(port, identity());
      // It is tried again and again.
      await vi.waitFor(() => expect(taker.visits).toBeGreaterThan(3), facts);
      const secrets = [address.password, address.username, server.address.password, run, "AUTH", "INFO"];
      for (const secret of secrets) expect(taker.heard.includes(secret ?? "")).toBe(false);
      if (identity() !== undefined) expect(taker.heard).toHaveLength(0);
      // A handshake, and nothing after it.
      else expect(taker.heard[0]).toBe(0x16);
      await taker.close();
      // The real one, of which it is sure, is another life: that it says so shows that it signed in.
      const again = restartPrivateServer(binary, server.identity);
      cleanUp.push(() => again.stop());
      await expect(
        store.renew({ engine: "e0000000", counter: 1, stats: Buffer.of() } as never),
      ).rejects.toThrow(KvsLostError);
    });

    it("can be started again as the same: addresses, secrets, certificate", async () => {
      const server = await start();
      kill(server);
      await server.exited;
      const again = restartPrivateServer(binary, server.identity);
      cleanUp.push(() => again.stop());
      await again.ready;
      expect(again.address).toEqual(server.address);
      expect(again.directory).toBe(server.directory);
      await connect(overNetwork(server.address));
      expect(readdirSync(server.directory).toSorted()).toEqual(["kvs.sock", "server.log"]);
    });

    it("is not started again where somebody has put something else, nor taken for what is there", async () => {
      const server = await start();
      kill(server);
      await server.exited;
      const { directory, address } = server;
      const elsewhere = join(parent, "elsewhere");
      mkdirSync(elsewhere);
      renameSync(directory, `${directory}.old`);
      symlinkSync(elsewhere, directory);
      expect(() => restartPrivateServer(binary, server.identity)).toThrow(
        `cannot start the private server again: ${directory} is a symbolic link`,
      );
      const bySocket = { ...address, addresses: address.addresses.slice(0, 1) };
      await expect(connect(bySocket)).rejects.toThrow(/may be somebody else's: .* is a symbolic link/);
      rmSync(directory);
      mkdirSync(directory);
      chmodSync(directory, 0o777);
      await expect(connect(bySocket)).rejects.toThrow(/may be somebody else's: others can write into/);
      for (const path of [`${directory}.old`, elsewhere]) rmSync(path, { recursive: true });
    });

    it.each([
      ["before 7.2", `">>> 'tls-port 1'" "Bad directive or wrong number of arguments"`],
      ["from 7.2 on", `"# Missing implement of connection type tls" "# Failed finding TLS support."`],
    ])(
      "goes without TLS where the server cannot do it, and it can be seen that it does: %s",
      async (_, words) => {
        const bare = join(parent, "bare");
        // As a server that was built without it.
        const script = [
          "#!/bin/sh",
          "c=$(cat)",
          `case $c in *tls-port*) printf '%s\\n' ${words}; exit 1;; esac`,
          `exec '${binary}' - <<END`,
          "$c",
          "END",
        ];
        writeFileSync(bare, `${script.join("\n")}\n`, { mode: 0o700 });
        cleanUp.push(async () => rmSync(bare));
        const server = await start(bare);
        expect(server.identity.tcp?.tls).toBeNull();
        expect(server.address.certificate).toBeUndefined();
        expect(tcpOf(server.address).tls).toBe(false);
        await connect(overNetwork(server.address));
        expect(existsSync(join(server.directory, "server.key"))).toBe(false);
      },
    );
  },
);

describe("a private server's directory", () => {
  const server = testServers().find(({ binary }) => binary !== undefined);

  it("is not made where others could replace it", async () => {
    const open = join(parent, "open");
    mkdirSync(open);
    chmodSync(open, 0o777);
    const started = startPrivateServer({ binary: server?.binary ?? "", runId: run, directory: open });
    cleanUp.push(() => started.stop());
    expect(started.directory).toMatch(/^\/tmp\/taskmuster-/);
    expect(readdirSync(open)).toEqual([]);
    rmSync(open, { recursive: true });
    await started.ready;
  });
});
