import { contextId } from "@taskmuster/kvs/protocol";
import { expect, it } from "vitest";
import { TestEngine, bytes, enrol, ids, tasks, text } from "../actors.js";
import type { Bench } from "./bench.js";

export function contextSuite({ connect, open }: Bench): void {
  it("names and numbers contexts in the order of enrolling", async () => {
    const { store } = await open();
    const answers = [await enrol(store, "SSH#"), await enrol(store, "a#b#"), await enrol(store, "J12%1")];
    expect(
      answers.map((answer) => answer.kind === "enrolled" && { ...answer, runInfo: text(answer.runInfo) }),
    ).toEqual([
      { kind: "enrolled", context: "SSH0", rank: 0, runInfo: "info" },
      { kind: "enrolled", context: "a1b1", rank: 1, runInfo: "info" },
      { kind: "enrolled", context: "J12%1", rank: 2, runInfo: "info" },
    ]);
    const { contexts } = await store.snapshot();
    expect(contexts.map((each) => ({ ...each, info: text(each.info) }))).toEqual([
      { context: "SSH0", rank: 0, info: "info of SSH#", nonce: "nonce of SSH#", wanted: "run", credit: null },
      { context: "a1b1", rank: 1, info: "info of a#b#", nonce: "nonce of a#b#", wanted: "run", credit: null },
      {
        context: "J12%1",
        rank: 2,
        info: "info of J12%1",
        nonce: "nonce of J12%1",
        wanted: "run",
        credit: null,
      },
    ]);
  });

  it("adds a number to a name that is taken, unless it must be that one", async () => {
    const { store } = await open();
    await enrol(store, "lab", { exactLabel: true });
    expect(await enrol(store, "lab", { nonce: "two" })).toMatchObject({ context: "lab.2", rank: 1 });
    expect(await enrol(store, "lab", { nonce: "three" })).toMatchObject({ context: "lab.3", rank: 2 });
    expect(await enrol(store, "lab", { nonce: "four", exactLabel: true })).toEqual({ kind: "taken" });
    expect(await enrol(store, "lab.2", { nonce: "five", exactLabel: true })).toEqual({ kind: "taken" });
    // Who was refused has no rank.
    expect(await enrol(store, "SSH#")).toMatchObject({ context: "SSH3", rank: 3 });
    expect(await enrol(store, "SSH5")).toMatchObject({ context: "SSH5", rank: 4 });
    expect(await enrol(store, "SSH#", { nonce: "six" })).toMatchObject({ context: "SSH5.2", rank: 5 });
  });

  it("tells names apart, whatever bytes they are of", async () => {
    const { store, token } = await open();
    const names = [":", "a:b", "a", "b", "wanted:a", "nonce:a", "rank:a", "\u00e9 %d", "credit:", "0"];
    for (const [rank, label] of names.entries()) {
      expect(await enrol(store, label, { limit: rank })).toMatchObject({ context: label, rank });
    }
    await store.order(token, { kind: "context", context: contextId("a") }, "drain");
    const { contexts } = await store.snapshot();
    expect(contexts.map(({ context, credit, info }) => [context, credit, text(info)])).toEqual(
      names.map((name, rank) => [name, rank, Buffer.from(`info of ${name}`, "latin1").toString("latin1")]),
    );
    expect(contexts.filter(({ wanted }) => wanted === "drain").map(({ context }) => context)).toEqual(["a"]);
  });

  it("takes news from a context that it knows", async () => {
    const { store, token } = await open();
    await enrol(store, "SSH#", { limit: 3 });
    await enrol(store, "SSH#", { nonce: "other" });
    await store.publish(token, 1, tasks(0, 9));
    const engine = await TestEngine.join(store, "engine01", "SSH0");
    await engine.claim(2);
    // A limit counts once; a name is given once.
    const again = { exactLabel: true, limit: 7, info: bytes("its nodes are up") };
    expect(await enrol(store, "SSH#", again)).toMatchObject({ kind: "enrolled", context: "SSH0", rank: 0 });
    const { contexts } = await store.snapshot();
    expect(contexts.map(({ context, credit, info }) => [context, credit, text(info)])).toEqual([
      ["SSH0", 1, "its nodes are up"],
      ["SSH1", null, "info of SSH#"],
    ]);
  });

  it("keeps what contexts said when another driver takes over, and tells them of its run", async () => {
    const { run, store } = await open();
    await enrol(store, "SSH#", { limit: 3 });
    const second = await connect(run);
    await second.open(bytes("new info"));
    const again = await enrol(second, "SSH#");
    expect(again.kind === "enrolled" && [again.context, text(again.runInfo)]).toEqual(["SSH0", "new info"]);
    expect(await second.snapshot()).toMatchObject({ contexts: [{ context: "SSH0", credit: 3 }] });
  });

  it("holds an order to a context for engines that join later", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 9));
    await enrol(store, "SSH#");
    await store.order(token, { kind: "context", context: contextId("SSH0") }, "drain");
    await store.order(token, { kind: "context", context: contextId("SSH1") }, "stop");
    await enrol(store, "SSH#", { nonce: "later" });
    const wanted = async () => (await store.snapshot()).contexts.map((context) => context.wanted);
    expect(await wanted()).toEqual(["drain", "stop"]);
    const drained = await TestEngine.join(store, "engine01", "SSH0");
    const stopped = await TestEngine.join(store, "engine02", "SSH1");
    expect(await drained.claim(1)).toMatchObject({ tasks: [], wanted: "drain" });
    expect(await stopped.claim(1)).toMatchObject({ tasks: [], wanted: "stop" });
    // What the run shall do holds for its contexts.
    await store.order(token, { kind: "context", context: contextId("SSH0") }, "run");
    expect(await wanted()).toEqual(["run", "stop"]);
    await store.order(token, { kind: "run" }, "drain");
    expect(await wanted()).toEqual(["drain", "stop"]);
  });

  it("limits the claims of a context exactly", async () => {
    const { store, token } = await open();
    await enrol(store, "a", { limit: 5 });
    await store.publish(token, 1, tasks(0, 19));
    const one = await TestEngine.join(store, "engine01", "a");
    const two = await TestEngine.join(store, "engine02", "a");
    const free = await TestEngine.join(store, "engine03", "b");
    const credit = async () => (await store.snapshot()).contexts.map((context) => context.credit);
    const { tasks: claimed } = await one.claim(3);
    expect(claimed).toHaveLength(3);
    expect(await credit()).toEqual([2]);
    // The answer to the enrolment was lost: asked for again it must not count anew.
    await enrol(store, "a", { limit: 5 });
    expect(ids(await two.claim(9))).toEqual([3, 4]);
    expect(ids(await two.again())).toEqual([3, 4]);
    expect(ids(await one.claim(9))).toEqual([]);
    expect(ids(await free.claim(2))).toEqual([5, 6]);

    // What was never started gives its credit back, what was started does not.
    await one.finish(0);
    const back = { releases: claimed.slice(1, 2) };
    await one.exchange(back);
    await one.again(back);
    expect(await credit()).toEqual([1]);
    expect(ids(await two.claim(9))).toEqual([1]);
    expect(ids(await one.claim(9))).toEqual([]);

    // Nor does what went down with its engine.
    await store.expel(token, one.id, "lost");
    expect(ids(await two.claim(9))).toEqual([]);
    expect(await credit()).toEqual([0]);
  });

  it("lets a context with a limit of none claim nothing", async () => {
    const { store, token } = await open();
    await enrol(store, "a", { limit: 0 });
    await store.publish(token, 1, tasks(0, 1));
    const engine = await TestEngine.join(store, "engine01", "a");
    expect(ids(await engine.claim(9))).toEqual([]);
  });

  it("keeps to a limit when many engines claim at once", async () => {
    const { run, store, token } = await open();
    await enrol(store, "a", { limit: 50 });
    await store.publish(token, 1, tasks(0, 199));
    const engines = await Promise.all(
      Array.from({ length: 8 }, async (_, at) => TestEngine.join(await connect(run), `engine0${at}`, "a")),
    );
    const held = await Promise.all(
      engines.map(async (engine) => {
        let count = 0;
        for (let round = 0; round < 8; round++) {
          const { tasks: got } = await engine.claim(3);
          const { tasks: more } = await engine.claim(2, { releases: got.slice(1) });
          count += got.length - Math.max(got.length - 1, 0) + more.length;
        }
        return count;
      }),
    );
    const { contexts, queued, engines: seen } = await store.snapshot();
    const claims = seen.reduce((sum, engine) => sum + engine.claims, 0);
    expect(held.reduce((sum, count) => sum + count, 0)).toBe(claims);
    expect({ claims, credit: contexts[0]?.credit, queued }).toEqual({ claims: 50, credit: 0, queued: 150 });
  });
}
