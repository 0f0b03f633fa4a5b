import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvsClosedError } from "@taskmuster/kvs";
import { runId } from "@taskmuster/kvs/protocol";
import { type SignIn, TaskChannel, TaskClient } from "@taskmuster/kvs/redis";
import type { KvsAddress } from "@taskmuster/kvs/server";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Proxy } from "../proxy.js";
import { TestServer, testServers } from "../test-server.js";

function signIn(name: string): SignIn {
  return {
    name,
    doneTask: Buffer.from(`${name} done!`),
    resultKey: `${name} result`,
    taskKey: `${name} task`,
  };
}

describe.each(testServers())("a list by way of $name", ({ binary }) => {
  describe.skipIf(binary === undefined)("(installed)", () => {
    const open: { close(): Promise<void> }[] = [];
    let server: TestServer;

    beforeAll(async () => {
      server = await TestServer.start(binary ?? "");
    });
    afterEach(async () => {
      await Promise.all(open.splice(0).map((each) => each.close()));
      expect(await server.strings("KEYS", "*")).toEqual([]);
    });
    afterAll(async () => {
      await server.stop();
    });

    async function channel(run = "run00001", address: KvsAddress = server.address): Promise<TaskChannel> {
      const opened = await TaskChannel.open(address, runId(run));
      open.push(opened);
      return opened;
    }

    async function client(name: string, address: KvsAddress = server.address): Promise<TaskClient> {
      const opened = await TaskClient.open(address, signIn(name));
      open.push(opened);
      return opened;
    }

    async function pushSignIn(name: string): Promise<void> {
      await server.command("RPUSH", "task source name", name);
      await server.command("RPUSH", "task source done task", `${name} done!`);
      await server.command("RPUSH", "task source result key", `${name} result`);
      await server.command("RPUSH", "task source task key", `${name} task`);
    }

    it("begins with a sign-in, which is waited for and taken whole", async () => {
      const driver = await channel();
      expect(await driver.signIn()).toBeNull();
      const waiting = driver.waitForSignIn();
      await server.command("RPUSH", "task source name", "n");
      expect(await driver.signIn()).toBeNull();
      await server.command("LPOP", "task source name");
      await pushSignIn("n");
      await waiting;
      expect(await driver.signIn()).toEqual(signIn("n"));
      await driver.clear();
    });

    it("is one driver's: two that wait for sign-ins get one each", async () => {
      const drivers = [await channel("run00001"), await channel("run00002")];
      await pushSignIn("a");
      await pushSignIn("b");
      const found: string[] = [];
      for (const driver of drivers) {
        for (let taken = await driver.signIn(); ; taken = await driver.signIn()) {
          if (taken === null) continue;
          found.push(taken.name);
          break;
        }
      }
      expect(found.toSorted()).toEqual(["a", "b"]);
      for (const driver of drivers) await driver.clear();
    });

    it("hands tasks over in their order, and keeps them until the next ones are asked for", async () => {
      const driver = await channel();
      await pushSignIn("n");
      await driver.signIn();
      expect(await driver.take(10)).toEqual([]);
      const waiting = driver.waitForTask();
      await server.command("RPUSH", "n task", "one", "two", "three");
      await waiting;
      expect((await driver.take(2)).map(String)).toEqual(["one", "two"]);
      expect(await server.strings("LLEN", "n task")).toEqual(["3"]);
      expect((await driver.take(2)).map(String)).toEqual(["three"]);
      expect(await driver.take(2)).toEqual([]);
      expect(await server.strings("EXISTS", "n task")).toEqual(["0"]);
      await driver.clear();
    });

    it("takes what is large in smaller steps, but never nothing", async () => {
      const driver = await channel();
      await pushSignIn("n");
      await driver.signIn();
      for (const letter of ["a", "b", "c"]) await server.command("RPUSH", "n task", letter.repeat(700_000));
      const lengths: number[] = [];
      for (let tasks = await driver.take(10); tasks.length > 0; tasks = await driver.take(10))
        lengths.push(tasks.length);
      expect(lengths).toEqual([1, 1, 1]);
      await driver.clear();
    });

    it("gives results to whoever pops them, the id when the status is there", async () => {
      const driver = await channel();
      await pushSignIn("n");
      await driver.signIn();
      const first = [
        { id: 3, status: '{"TaskId":3}' },
        { id: 1, status: '{"TaskId":1}' },
      ];
      expect(await driver.publish(first)).toBe(2);
      expect(await driver.publish([{ id: 2, status: '{"TaskId":2}' }])).toBe(3);
      expect(await server.command("BLPOP", "n result done tasks", "1")).toEqual(["n result done tasks", "3"]);
      expect(await server.command("LPOP", "n result 3")).toBe('{"TaskId":3}');
      expect(await driver.unfetched()).toBe(2);
      await driver.post("a key", "7");
      await driver.post("a key", "9");
      expect(await server.command("LRANGE", "a key", "0", "-1")).toEqual(["7", "9"]);
      await driver.end('{"reason":"finished"}');
      expect(await server.command("LRANGE", "n result end", "0", "-1")).toEqual(['{"reason":"finished"}']);
      await driver.clear();
      const kept = ["n result done tasks", "n result 1", "n result 2", "n result end"];
      for (const key of kept) expect(Number(await server.command("TTL", key))).toBeGreaterThan(80_000);
      await server.command("DEL", "a key", ...kept);
    });

    it("goes both ways between a program and a driver, and nothing of it stays", async () => {
      const driver = await channel();
      const program = await client("n");
      expect(await driver.signIn()).toEqual(signIn("n"));
      await program.submit(["one", Buffer.from([0xff, 0x0a])]);
      await program.submit(["n done!"]);
      expect(await driver.take(10)).toEqual([
        Buffer.from("one"),
        Buffer.from([0xff, 0x0a]),
        Buffer.from("n done!"),
      ]);
      const waiting = program.waitForResult();
      await driver.publish([0, 1, 2].map((id) => ({ id, status: `s${id}` })));
      await waiting;
      expect(await program.fetch(2)).toEqual(["s0", "s1"]);
      expect(await program.fetch(2)).toEqual(["s2"]);
      expect(await program.fetch(2)).toEqual([]);
      expect(await driver.unfetched()).toBe(0);
      const end = program.waitForEnd();
      await driver.end("over");
      expect(await end).toBe("over");
      await driver.clear();
      await program.clear();
    });

    it("can be signed out of as long as no driver has taken it", async () => {
      const program = await client("n");
      await program.clear();
    });

    it("ends its waits when it is closed", async () => {
      const driver = await channel();
      const waiting = expect(driver.waitForSignIn()).rejects.toBeInstanceOf(KvsClosedError);
      await driver.close();
      await waiting;
    });

    it("loses and doubles nothing when connections break", async () => {
      const directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
      const proxy = await Proxy.start(join(directory, "proxy"), server.socket);
      const address: KvsAddress = { addresses: [`unix://${join(directory, "proxy")}`], private: false };
      try {
        const program = await client("n", address);
        const driver = await channel("run00001", address);
        for (let taken = await driver.signIn(); taken === null; taken = await driver.signIn());
        let count = 0;
        // With each step forward, as a busy machine may not get a connection to its end between two moments of a clock.
        const disturb = (): void => {
          if (count++ % 3 === 0) proxy.cut();
          else proxy.answersToLose++;
        };
        const taken: string[] = [];
        const fetched: string[] = [];
        const submitting = (async () => {
          for (let at = 0; at < 600; at += 3) await program.submit([`${at}`, `${at + 1}`, `${at + 2}`]);
        })();
        const driving = (async () => {
          while (taken.length < 600) {
            const tasks = (await driver.take(5)).map(String);
            if (tasks.length === 0) await driver.waitForTask();
            else await driver.publish(tasks.map((id) => ({ id: Number(id), status: id })));
            taken.push(...tasks);
            disturb();
          }
        })();
        while (fetched.length < 600) {
          const results = await program.fetch(7);
          if (results.length === 0) await program.waitForResult();
          fetched.push(...results);
          if (results.length > 0) disturb();
        }
        await Promise.all([submitting, driving]);
        const all = Array.from({ length: 600 }, (_, id) => `${id}`);
        expect(taken).toEqual(all);
        expect(fetched).toEqual(all);
        expect(await program.fetch(1)).toEqual([]);
        await driver.clear();
        await program.clear();
      } finally {
        await proxy.stop();
        rmSync(directory, { recursive: true, force: true });
      }
    });
  });
});
