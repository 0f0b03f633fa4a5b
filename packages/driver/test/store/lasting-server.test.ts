import { randomBytes } from "node:crypto";
import { FencedError } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { type PrivateServer, restartPrivateServer, startPrivateServer } from "@taskmuster/kvs/server";
import { pino } from "pino";
import { afterEach, describe, expect, it, vi } from "vitest";
import { onPath } from "../../../kvs/test/test-server.js";
import { LastingServer } from "../../src/store/lasting-server.js";

const binary = onPath("redis-server") ?? "";

function kill(pid: number | undefined): void {
  if (pid === undefined || pid <= 1) throw new Error("no process to kill");
  process.kill(pid, "SIGKILL");
}

describe("LastingServer", () => {
  let lasting: LastingServer | null = null;
  afterEach(async () => {
    await lasting?.stop();
    lasting = null;
  });

  async function started(
    restart?: (server: PrivateServer) => PrivateServer,
    checkOurs: () => void = () => undefined,
  ) {
    const server = startPrivateServer({ binary, runId: runId(randomBytes(8).toString("hex")) });
    await server.ready;
    const said: string[] = [];
    const kept: (number | undefined)[] = [];
    const released: string[] = [];
    const keeper = (name: string) => ({ pid: undefined, done: async () => void released.push(name) });
    const given: string[] = [];
    lasting = new LastingServer(server, keeper("first"), {
      restart: () => restart?.(server) ?? restartPrivateServer(binary, server.identity),
      keep: (again) => {
        kept.push(again.pid);
        return keeper(`of ${again.pid}`);
      },
      log: pino({ level: "silent" }),
      checkOurs,
      onNotice: (message) => said.push(message),
      onGivenUp: (error) => given.push(error.message),
    });
    return { server, lasting, said, kept, released, given };
  }

  it("starts a server that was killed again, with a new keeper before the old one is let go", async () => {
    const { server, lasting: restarted, said, kept, released, given } = await started();
    kill(server.pid);
    await vi.waitFor(() => expect(restarted.pid).not.toBe(server.pid), 10_000);
    expect(said).toEqual(["the private Redis server died (SIGKILL) and is started again; what runs goes on"]);
    expect(kept).toEqual([restarted.pid]);
    await vi.waitFor(() => expect(released).toEqual(["first"]));
    await restarted.stop();
    expect(released).toEqual(["first", `of ${kept[0]}`]);
    expect(given).toEqual([]);
    expect(said).toHaveLength(1);
  });

  it("gives up after the sixth death within a minute", async () => {
    const { lasting: restarted, said, given } = await started();
    for (let death = 1; death <= 6; death++) {
      const { pid } = restarted;
      kill(pid);
      await vi.waitFor(() => expect(restarted.pid !== pid || given.length > 0).toBe(true), 20_000);
    }
    expect(given).toEqual([
      "the private Redis server is lost: it died 6 times within a minute, now of SIGKILL",
    ]);
    expect(said).toHaveLength(5);
  });

  it("gives up when it cannot be started again", async () => {
    const { server, given } = await started(() => {
      throw new Error("no room");
    });
    kill(server.pid);
    await vi.waitFor(() => expect(given).toEqual(["the private Redis server is lost: no room"]), 10_000);
  });

  it("leaves it dead when another driver has the run, and says so to its own", async () => {
    const { server, said, kept, given } = await started(undefined, () => {
      throw new FencedError();
    });
    kill(server.pid);
    await vi.waitFor(() => expect(given).toEqual([new FencedError().message]), 10_000);
    expect([said, kept]).toEqual([[], []]);
  });
});
