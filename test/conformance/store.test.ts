import type { KvsStore } from "@taskmuster/kvs";
import type { RunId } from "@taskmuster/kvs/protocol";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bytes } from "./actors.js";
import { bellSuite } from "./suite/bells.js";
import type { Bench } from "./suite/bench.js";
import { claimSuite } from "./suite/claims.js";
import { contextSuite } from "./suite/contexts.js";
import { driverNewsSuite } from "./suite/driver-news.js";
import { memberSuite } from "./suite/members.js";
import { recordSuite } from "./suite/records.js";
import { reportSuite } from "./suite/reports.js";
import { returningSuite } from "./suite/returning.js";
import { runSuite } from "./suite/run.js";
import { takeoverSuite } from "./suite/takeover.js";
import { testServers } from "../../packages/kvs/test/test-server.js";
import { type World, confinedWorld, freshRunId, memoryWorld, redisWorld } from "./world.js";

/** What every implementation of the port must do; see packages/kvs/src/store.ts. */
function conformance(start: () => Promise<World>): void {
  let current: World | undefined;
  const stores: KvsStore[] = [];

  beforeAll(async () => {
    current = await start();
  });
  afterEach(async () => {
    await Promise.all(stores.splice(0).map((store) => store.disconnect()));
  });
  afterAll(async () => {
    await current?.stop();
  });

  const world = (): World => {
    if (current === undefined) throw new Error("the server did not start");
    return current;
  };
  const connect = async (run: RunId): Promise<KvsStore> => {
    const store = await world().connect(run);
    stores.push(store);
    return store;
  };
  const bench: Bench = {
    world,
    connect,
    async open() {
      const run = freshRunId();
      const store = await connect(run);
      return { run, store, token: await store.open(bytes("info")) };
    },
  };

  describe("a run", () => {
    runSuite(bench);
    takeoverSuite(bench);
  });
  describe("claims", () => {
    claimSuite(bench);
  });
  describe("reports", () => {
    reportSuite(bench);
  });
  describe("members", () => {
    memberSuite(bench);
    recordSuite(bench);
  });
  describe("contexts", () => {
    contextSuite(bench);
  });
  describe("a run that comes back", () => {
    returningSuite(bench);
  });
  describe("a driver's news", () => {
    driverNewsSuite(bench);
  });
  describe("bells", () => {
    bellSuite(bench);
  });
}

describe("the memory store", () => {
  conformance(memoryWorld);
});

for (const { name, binary, missing } of testServers()) {
  if (binary !== undefined) {
    describe(`the Redis store on ${name}`, () => {
      conformance(() => redisWorld(binary));
    });
    describe(`the Redis store on ${name}, with engines that may do no more than they need`, () => {
      conformance(() => confinedWorld(binary));
    });
  } else if (name === "redis-server" && process.env["CI"] === "true") {
    it("has a redis-server to test against", () => {
      expect.fail(`there is none on PATH: ${missing}`);
    });
  } else {
    it(`the Redis store on ${name}`, ({ skip }) => {
      skip(`not installed: ${missing}`);
    });
  }
}
