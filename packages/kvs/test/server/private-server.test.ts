import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { KvsError } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { type PrivateServer, parseEndpoint, startPrivateServer } from "@taskmuster/kvs/server";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { testServers } from "../test-server.js";

const parent = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
const servers: PrivateServer[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});
afterAll(() => {
  rmSync(parent, { recursive: true });
});

function start(binary: string, directory = parent): PrivateServer {
  const server = startPrivateServer({ binary, runId: runId("private0"), directory });
  servers.push(server);
  return server;
}

function socketOf({ address }: PrivateServer): string {
  const endpoint = parseEndpoint(address.addresses[0] ?? "");
  return endpoint.kind === "unix" ? endpoint.path : "";
}

/** A program that stands in for a server. */
function fake(script: string): string {
  const path = join(parent, "fake server");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o700);
  return path;
}

describe.each(testServers().filter(({ binary }) => binary !== undefined))(
  "a private $name",
  ({ binary = "" }) => {
    it("can be connected to while it is still starting", async () => {
      const server = start(binary);
      const store = await connectRedisStore({
        address: server.address,
        runId: runId("private0"),
        role: "driver",
        waitMs: 15_000,
      });
      expect(await store.open(Buffer.from("info"))).toBe(1);
      await server.ready;
      await store.disconnect();
    });

    it("lets nobody in without its password, which stands neither in argv nor on disk", async () => {
      const server = start(binary);
      await server.ready;
      const { password = "", engines } = server.address;
      const secrets = [password, engines?.password ?? ""];
      for (const secret of secrets) expect(secret.length).toBeGreaterThan(20);
      expect(new Set(secrets).size).toBe(2);
      const open = connectRedisStore({
        address: { ...server.address, password: "guess" },
        runId: runId("private0"),
        role: "driver",
      });
      await expect(open).rejects.toThrow(/wrong password/);
      const ps = execFileSync("ps", ["-p", `${server.pid}`, "-o", "args="], { encoding: "utf8" });
      const files = readdirSync(server.directory)
        .map((name) => join(server.directory, name))
        .filter((path) => statSync(path).isFile());
      for (const text of [ps, ...files.map((path) => readFileSync(path, "utf8"))])
        for (const secret of secrets) expect(text).not.toContain(secret);
      expect(start(binary).address.password).not.toBe(password);
    });

    it("listens on a socket in a directory of its owner's only, in a session of its own", async () => {
      const server = start(binary);
      await server.ready;
      expect(statSync(server.directory).mode & 0o777).toBe(0o700);
      expect(statSync(socketOf(server)).mode & 0o077).toBe(0);
      const ps = execFileSync("ps", ["-p", `${server.pid}`, "-o", "sid="], { encoding: "utf8" });
      expect(Number(ps)).toBe(server.pid);
    });

    it("keeps nothing on disk, and leaves nothing behind when stopped, twice", async () => {
      const server = start(binary);
      await server.ready;
      const store = await connectRedisStore({
        address: server.address,
        runId: runId("private0"),
        role: "driver",
      });
      await store.open(Buffer.from("info"));
      await store.disconnect();
      expect(readdirSync(server.directory).toSorted()).toEqual(["kvs.sock", "server.log"]);
      await Promise.all([server.stop(), server.stop()]);
      await server.stop();
      expect(existsSync(server.directory)).toBe(false);
      expect(() => process.kill(pidOf(server), 0)).toThrow(/ESRCH/);
      expect((await server.exited).signal).toBe("SIGKILL");
    });

    it("says how it ended, with its last words", async () => {
      const server = start(binary);
      await server.ready;
      process.kill(pidOf(server), "SIGTERM");
      const { code, log } = await server.exited;
      expect(code).toBe(0);
      expect(log.join("\n")).toMatch(/SIGTERM|ready to exit|Ready to accept/i);
      await server.stop();
      expect(existsSync(server.directory)).toBe(false);
    });

    it("starts in a directory with an odd name", async () => {
      const odd = mkdtempSync(join(parent, `a "b' \\c\n`));
      const server = start(binary, odd);
      await server.ready;
      expect(dirname(server.directory)).toBe(odd);
      const store = await connectRedisStore({
        address: server.address,
        runId: runId("private0"),
        role: "driver",
      });
      await store.disconnect();
    });

    it("goes where a socket's path fits when the directory for temporary files is too deep", async () => {
      const server = start(binary, join(parent, "x".repeat(90)));
      await server.ready;
      expect(socketOf(server)).toMatch(/^\/tmp\/taskmuster-/);
    });
  },
);

describe("a private server that does not start", () => {
  it("says why it ended", async () => {
    const server = start(fake("echo this is broken; exit 3"));
    await expect(server.ready).rejects.toThrow(KvsError);
    await expect(server.ready).rejects.toThrow(/fake server ended \(exit status 3\):\n {2}this is broken/);
    expect(await server.exited).toEqual({ code: 3, signal: null, log: ["this is broken"] });
  });

  it("says so when there is no such program", async () => {
    const server = start(join(parent, "none"));
    await expect(server.ready).rejects.toThrow(/cannot start a private server: .*ENOENT/s);
    expect(server.pid).toBeUndefined();
    await server.stop();
    expect(existsSync(server.directory)).toBe(false);
  });

  it("is stopped like any other", async () => {
    const server = start(fake("exec sleep 1000"));
    await server.stop();
    await expect(server.ready).rejects.toThrow(/SIGKILL/);
  });
});

/** Throws where there is none: 0 would be every process of our own group. */
function pidOf(server: { readonly pid: number | undefined }): number {
  if (server.pid === undefined) throw new Error("the server was not started");
  return server.pid;
}
