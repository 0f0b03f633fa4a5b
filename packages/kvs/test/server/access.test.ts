import { readFileSync } from "node:fs";
import { runId } from "@taskmuster/kvs/protocol";
import { type PrivateServer, parseEndpoint, startPrivateServer } from "@taskmuster/kvs/server";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runKeyNames } from "../../src/keys.js";
import { scripts } from "../../src/redis/scripts.js";
import { engineScriptCommands } from "../../src/server/access.js";
import { testServers } from "../test-server.js";

const run = runId("access00");

function source(path: string): string {
  return readFileSync(new URL(`../../src/${path}`, import.meta.url), "utf8");
}

/** The scripts that an engine runs. */
const engineScripts = [...source("redis/engine-verbs.ts").matchAll(/scripts\.(\w+)/g)]
  .map((match) => match[1] ?? "")
  .concat("claimsOf")
  .map((name) => Object.entries(scripts).find(([each]) => each === name)?.[1].text ?? "")
  .map((text) => text.replace(/--.*$/gm, ""));

/** `engine:<engine>` of `engine:`, as it begins. */
function keysUsed(): ReadonlySet<string> {
  const used = new Set(["meta"]);
  for (const text of engineScripts)
    for (const [, name = ""] of text.matchAll(/\bP \.\. '([^']+)'/g)) used.add(name.replace(/:.*/, ":"));
  return used;
}

describe("what an engine may do", () => {
  it("is what its scripts call, no more and no less", () => {
    expect(engineScripts.length).toBeGreaterThan(4);
    const called = engineScripts.flatMap((text) =>
      [...text.matchAll(/'([A-Z]{3,})'/g)].map((match) => match[1] ?? ""),
    );
    expect([...new Set(called)].toSorted()).toEqual(engineScriptCommands.toSorted());
  });
});

describe.each(testServers().filter(({ binary }) => binary !== undefined))(
  "who may do what on a private $name",
  ({ binary = "" }) => {
    let server: PrivateServer;
    const clients: Redis[] = [];

    beforeAll(async () => {
      server = startPrivateServer({ binary, runId: run });
      await server.ready;
    });
    afterAll(async () => {
      for (const client of clients) client.disconnect();
      await server.stop();
    });

    function connect(user: { readonly username?: string; readonly password?: string }): Redis {
      const endpoint = parseEndpoint(server.address.addresses[0] ?? "");
      if (endpoint.kind !== "unix") expect.fail("the socket comes first");
      const client = new Redis({
        path: endpoint.path,
        protocol: 2,
        retryStrategy: null,
        enableReadyCheck: false,
        ...user,
      });
      client.on("error", () => undefined);
      clients.push(client);
      return client;
    }
    const owner = () => connect({ password: server.address.password ?? "" });
    const engine = () => connect({ ...server.address.engines });

    async function answer(client: Redis, command: string): Promise<string> {
      const [name = "", ...args] = command.split(" ").map((word) => word.replaceAll("_", " "));
      return client.call(name, ...args).then(
        () => "allowed",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
    }

    const refused =
      /^NOPERM|can't run this command|can't access at least one|ACL failure in script|No permissions/i;
    const changesTheServer = [
      ..."CONFIG GET requirepass|CONFIG SET dir /tmp|DEBUG SLEEP 0|SAVE|BGSAVE|BGREWRITEAOF|MONITOR|SYNC".split(
        "|",
      ),
      ..."FLUSHALL|FLUSHDB|KEYS *|REPLICAOF NO ONE|SLAVEOF NO ONE|ACL LIST|ACL SETUSER x on|MODULE LIST".split(
        "|",
      ),
      ..."MODULE LOAD /tmp/x|CLIENT LIST|CLIENT KILL TYPE normal|SWAPDB 0 1|SLOWLOG GET|LATENCY RESET|SORT x".split(
        "|",
      ),
      ..."MIGRATE h 1 k 0 1|RESTORE k 0 x|FAILOVER|PSYNC x 1".split("|"),
    ];

    it("lets nobody do anything without a password, or with a wrong one", async () => {
      for (const command of ["INFO", "GET x", "PING", "EVAL return_1 0", "CONFIG GET *", "SHUTDOWN NOSAVE"])
        expect(await answer(connect({}), command), command).toMatch(/^NOAUTH/);
      for (const username of ["default", "engine", "owner"]) {
        const stranger = connect({});
        expect(await answer(stranger, `AUTH ${username} guess`)).toMatch(/^WRONGPASS/);
        expect(await answer(stranger, `AUTH ${username} ${server.address.password ?? ""}x`)).toMatch(
          /^WRONGPASS/,
        );
      }
    });

    it.each(changesTheServer)("lets neither engines nor the run's owner %s", async (command) => {
      for (const client of [engine(), owner()]) {
        // Some are closed to everybody, by the server's own default.
        expect(await answer(client, command)).toMatch(/^NOPERM|command not allowed/);
        const [name = "", ...args] = command.split(" ");
        const inScript = `return redis.call(${[name, ...args].map((word) => `'${word}'`).join(",")})`;
        expect(await answer(client, `EVAL ${inScript.replaceAll(" ", "_")} 0`)).not.toBe("allowed");
      }
    });

    it("lets an engine use the keys that its scripts use, and no others of its run", async () => {
      const client = engine();
      const used = keysUsed();
      for (const name of Object.keys(runKeyNames)) {
        const key = `tm:{${run}}:${name.replace(/<.*>/, "x")}`;
        const said = await answer(client, `EXISTS ${key}`);
        if (used.has(name.replace(/<.*>/, ""))) expect(said, name).toBe("allowed");
        else expect(said, name).toMatch(refused);
      }
    });

    it("lets an engine see nothing else on the server, by a script or without", async () => {
      const client = engine();
      const others = ["tm:{access01}:meta", "task_source_name", "meta", `tm:{${run}}`];
      for (const key of others) {
        expect(await answer(client, `EXISTS ${key}`)).toMatch(refused);
        expect(await answer(client, `EVAL return_redis.call('EXISTS',KEYS[1]) 1 ${key}`)).toMatch(refused);
        expect(await answer(client, `EVAL return_redis.call('EXISTS','${key}') 0`)).toMatch(refused);
      }
      const commands = [
        "GET x",
        "SCAN 0",
        "SHUTDOWN NOSAVE",
        "SCRIPT FLUSH",
        "PUBLISH a b",
        "SUBSCRIBE a",
        "SELECT 1",
      ];
      for (const command of commands) expect(await answer(client, command), command).toMatch(/^NOPERM/);
      // Its own data it may use: it is an engine.
      expect(await answer(client, `HGET tm:{${run}}:meta epoch`)).toBe("allowed");
    });

    it("lets the owner use any key: programs that submit tasks choose their own", async () => {
      const client = owner();
      for (const command of [
        "RPUSH task_source_name x",
        "BLPOP task_source_name 1",
        `EXISTS tm:{${run}}:requests`,
        "INFO",
      ])
        expect(await answer(client, command), command).toBe("allowed");
    });
  },
);
