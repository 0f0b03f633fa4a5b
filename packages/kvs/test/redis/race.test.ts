import { readFileSync } from "node:fs";
import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { hostname } from "node:os";
import { KvsError, type KvsStore } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { type ConnectionEvent, connectRedisStore } from "@taskmuster/kvs/redis";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { freePort } from "../../src/server/free-port.js";
import { stopProcess } from "../stop-process.js";
import { TestServer, onPath } from "../test-server.js";

const binary = onPath("redis-server");
const password = "open sesame";

/** Somebody who listens and is no key-value store. */
class Stranger {
  readonly address: string;
  readonly arrivals: number[] = [];
  readonly open = new Set<Socket>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.address = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("connection", (socket) => {
      this.arrivals.push(performance.now());
      this.open.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.open.delete(socket));
    });
  }

  static async start(greeting: string | null): Promise<Stranger> {
    const server = createServer((socket) => {
      socket.resume();
      if (greeting !== null) socket.write(greeting);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new Stranger(server);
  }

  async stop(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** An address that swallows every packet, as behind a firewall: its queue of new connections is full for ever. */
class Firewall {
  readonly address: string;
  readonly #server: TestServer;
  readonly #port: number;
  readonly #fill: Socket[];

  private constructor(server: TestServer, port: number) {
    this.#server = server;
    this.#port = port;
    this.address = `redis://127.0.0.1:${port}`;
    this.#fill = [1, 2, 3, 4].map(() => connect(port, "127.0.0.1").on("error", () => undefined));
  }

  static async start(): Promise<Firewall> {
    const port = await freePort();
    const server = await TestServer.start(binary ?? "", ["--port", `${port}`, "--tcp-backlog", "1"]);
    await stopProcess(server.pid);
    const firewall = new Firewall(server, port);
    await vi.waitFor(() => {
      expect(firewall.#fill.filter(({ readyState }) => readyState === "open").length).toBeGreaterThan(1);
    });
    return firewall;
  }

  /** Connections to it that are being tried. */
  get tried(): number {
    const sockets = readFileSync("/proc/net/tcp", "latin1").split("\n");
    const port = this.#port.toString(16).toUpperCase().padStart(4, "0");
    return sockets.filter((line) => line.includes(`:${port} 02 `)).length;
  }

  async stop(): Promise<void> {
    for (const socket of this.#fill) socket.destroy();
    await this.#server.stop();
  }
}

describe.skipIf(binary === undefined)("a server with several addresses", () => {
  const started: { stop(): Promise<void> }[] = [];
  const stores: KvsStore[] = [];
  const events: ConnectionEvent[] = [];
  let server: TestServer;
  let real: string;

  beforeAll(async () => {
    const port = await freePort();
    server = await TestServer.start(binary ?? "", ["--port", `${port}`, "--requirepass", password]);
    real = `redis://127.0.0.1:${port}`;
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.disconnect()));
    await Promise.all(started.splice(0).map((each) => each.stop()));
  });
  afterAll(async () => {
    await server.stop();
  });

  async function ready<Started extends { stop(): Promise<void> }>(
    starting: Promise<Started>,
  ): Promise<Started> {
    const one = await starting;
    started.push(one);
    return one;
  }

  async function open(...addresses: string[]): Promise<KvsStore> {
    const store = await connectRedisStore({
      address: { addresses, password, private: true },
      runId: runId("several0"),
      role: "engine",
      onEvent: (event) => events.push(event),
    });
    stores.push(store);
    return store;
  }

  it("is found though firewalls swallow what is sent to the others", { timeout: 30_000 }, async () => {
    const firewall = await ready(Firewall.start());
    const { address, tried } = firewall;
    const opening = open("unix:///nowhere/kvs.sock", address, address, address, real);
    // Not one after the other: each would take as long as one waits for it.
    await vi.waitFor(() => expect(firewall.tried).toBe(tried + 3), { timeout: 10_000, interval: 5 });
    await opening;
  });

  it("is found behind servers that are others, or none", { timeout: 30_000 }, async () => {
    const port = await freePort();
    const none = await ready(Stranger.start(null));
    const web = await ready(Stranger.start("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const babbler = await ready(Stranger.start("+OK\r\n+OK\r\n+OK\r\n+OK\r\n"));
    await ready(TestServer.start(binary ?? "", ["--port", `${port}`, "--requirepass", "another"]));
    const openPort = await freePort();
    await ready(TestServer.start(binary ?? "", ["--port", `${openPort}`]));
    const strangers = [none.address, web.address, babbler.address];
    const store = await open(
      ...strangers,
      `redis://127.0.0.1:${port}`,
      `redis://127.0.0.1:${openPort}`,
      "redis://no-such-host.invalid:1",
      real,
    );
    expect((await store.snapshot()).open).toBe(false);
    await vi.waitFor(() => {
      expect([none.open.size, web.open.size, babbler.open.size]).toEqual([0, 0, 0]);
    });
  });

  it("is asked again where it answered, and not at the addresses that are in vain", async () => {
    const first = await ready(Stranger.start("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const store = await open(first.address, real);
    expect(first.arrivals).toHaveLength(1);
    await store.waitForBell("driver", 1);
    for (const _ of [1, 2, 3]) {
      events.length = 0;
      const admin = new Redis({ path: server.socket, password, protocol: 2 });
      await admin.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
      admin.disconnect();
      await vi.waitFor(() => {
        expect(events.map(({ kind }) => kind)).toEqual(["down", "up"]);
      });
      await store.snapshot();
    }
    expect(first.arrivals).toHaveLength(1);
  });

  it(
    "is given time to answer before it is asked at its other addresses too",
    { timeout: 30_000 },
    async () => {
      const busy = await ready(Stranger.start(null));
      const also = await ready(Stranger.start(null));
      await open(busy.address, also.address, real);
      const [one = 0] = busy.arrivals;
      const [other = 0] = also.arrivals;
      expect(other - one).toBeGreaterThan(1_000);
    },
  );

  it("is not there: then it is said why for each address, from where, and what to try", async () => {
    const port = await freePort();
    await ready(TestServer.start(binary ?? "", ["--port", `${port}`]));
    const web = await ready(Stranger.start("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const babbler = await ready(Stranger.start("+OK\r\n+OK\r\n+OK\r\n+OK\r\n"));
    const strangers = [`redis://127.0.0.1:${port}`, web.address, babbler.address];
    const none = "redis://127.0.0.1:1";
    const opening = open("unix:///nowhere/kvs.sock", ...strangers, none);
    const error: unknown = await opening.catch((thrown: unknown) => thrown);
    if (!(error instanceof KvsError)) expect.fail(String(error));
    expect(error.message.split("\n")).toEqual([
      `cannot reach the run's key-value store from ${hostname()}:`,
      expect.stringMatching(/^ {2}unix:\/\/\/nowhere\/kvs\.sock: there is no such socket/),
      `  redis://127.0.0.1:${port}: another server listens there, one without a password`,
      `  ${web.address}: something that is no key-value store listens there`,
      `  ${babbler.address}: it does not say which version of Redis or Valkey it is`,
      `  ${none}: connection refused; is the server running there?`,
      expect.stringMatching(/by another address.*--use-address HOST:PORT$/),
    ]);
  });

  it("says how other hosts could join a run that keeps to its own", async () => {
    await expect(open("unix:///nowhere/kvs.sock")).rejects.toThrow(
      /^cannot reach .*:\n.*no such socket.*\n.*its driver's host only.*--use-address HOST:PORT/,
    );
  });

  it("stops trying at once when it is told to", async () => {
    const none = await ready(Stranger.start(null));
    const store = await open(real, none.address);
    await server.kill();
    try {
      await vi.waitFor(() => {
        expect(none.open.size).toBe(1);
      });
      await store.disconnect();
      expect(performance.now() - (none.arrivals[0] ?? 0)).toBeLessThan(4_000);
      await vi.waitFor(() => {
        expect(none.open.size).toBe(0);
      });
    } finally {
      await server.restart();
    }
  });
});
