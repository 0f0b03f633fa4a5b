import { describe, expect, it } from "vitest";
import { Context } from "../../src/context/context.js";
import type { ContextMethod, EngineEnd } from "../../src/context/engine-handle.js";
import type { Retirer } from "../../src/context/retirer.js";
import { FakeHandle, config, plan } from "./rig.js";

/** A context of engines that the test ends, and what it tells. */
function rig(hosts: readonly string[], options: { retires?: boolean } = {}) {
  const handles = new Map(hosts.map((host) => [host, new FakeHandle()]));
  const notices: string[] = [];
  const gone: { host: string; engine: string; end: EngineEnd }[] = [];
  const retired: string[] = [];
  const method: ContextMethod = {
    kind: "ssh",
    launch: ({ host }) => handles.get(host) ?? new FakeHandle(),
  };
  const retirer: Pick<Retirer, "abort" | "close" | "retire"> = {
    abort: () => undefined,
    retire: ({ host, exitStatus }, active) => retired.push(`${host} ${exitStatus} [${active.join()}]`),
    close: async () => void retired.push("closed"),
  };
  const context = new Context({
    plans: hosts.map((host) => plan(host)),
    methodFor: () => method,
    retirer: options.retires === true ? retirer : null,
    events: {
      onEngineGone: (engine, { host }, end) => gone.push({ host, engine, end }),
      onNotice: (message) => notices.push(message),
    },
  });
  const handle = (host: string): FakeHandle => handles.get(host) ?? new FakeHandle();
  return { context, handle, notices, gone, retired };
}

/** Lets what has been resolved be noticed. */
const noticed = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("Context", () => {
  it("tells each engine its own configuration, under an id of its own", async () => {
    const { context, handle } = rig(["a", "b"]);
    context.launch();
    const ids = new Set<string>();
    context.begin(({ host }, engine) => {
      ids.add(engine);
      return config(host);
    });
    expect(handle("a").told).toEqual(["begin a"]);
    expect(handle("b").told).toEqual(["begin b"]);
    expect([...ids]).toEqual([
      expect.stringMatching(/^[0-9a-f]{16}$/),
      expect.stringMatching(/^[0-9a-f]{16}$/),
    ]);
    expect(ids.size).toBe(2);
  });

  it("is gone when all engines are, and ok when one of them was", async () => {
    const { context, handle, notices, gone } = rig(["a", "b"]);
    context.launch();
    context.begin(({ host }) => config(host));
    handle("b").end("cannot reach b: no");
    await noticed();
    expect(context.nodes).toEqual([
      { host: "a", slots: 4, state: "starting", why: "" },
      { host: "b", slots: 4, state: "failed", why: "cannot reach b: no" },
    ]);
    handle("a").end();
    expect(await context.gone).toEqual({ ok: true, message: "" });
    expect(notices).toEqual(["cannot reach b: no"]);
    expect(gone.map(({ host, end }) => [host, end.ok])).toEqual([
      ["b", false],
      ["a", true],
    ]);
  });

  it("does not begin on a node that has failed before", async () => {
    const { context, handle } = rig(["a", "b"]);
    context.launch();
    handle("a").end("no");
    await noticed();
    context.begin(({ host }) => config(host));
    expect(handle("a").told).toEqual([]);
    expect(handle("b").told).toEqual(["begin b"]);
  });

  it("says why when all have failed, each reason once, and not all of very many", async () => {
    const hosts = ["a", "b", "c", "d", "e", "f"];
    const { context, handle } = rig(hosts);
    context.launch();
    for (const host of hosts) handle(host).end(host === "b" ? "a is ill" : `${host} is ill`);
    expect(await context.gone).toEqual({
      ok: false,
      message: "a is ill; c is ill; d is ill; and 2 more",
    });
  });

  it("gives no notice of what its own end says", async () => {
    const { context, handle, notices } = rig(["a"]);
    context.launch();
    handle("a").end("a is ill");
    expect(await context.gone).toEqual({ ok: false, message: "a is ill" });
    expect(notices).toEqual([]);
  });

  it("passes orders on to those that are there, and does not call it a failure when they end", async () => {
    const { context, handle, notices } = rig(["a", "b", "c"]);
    context.launch();
    context.begin(({ host }) => config(host));
    handle("a").end();
    await noticed();
    context.terminate();
    context.kill();
    expect(handle("a").told).toEqual(["begin a"]);
    expect(handle("b").told).toEqual(["begin b", "terminate", "kill"]);
    handle("b").end("killed", -9);
    handle("c").end("killed", -9);
    expect(await context.gone).toMatchObject({ ok: true });
    expect(context.nodes.map(({ state }) => state)).toEqual(["gone", "gone", "gone"]);
    expect(notices).toEqual([]);
  });

  it("is ok when it was called off before it began, and when it has no nodes", async () => {
    const { context, handle } = rig(["a"]);
    context.launch();
    context.terminate();
    handle("a").end("killed", -15);
    expect(await context.gone).toMatchObject({ ok: true });

    const empty = rig([]).context;
    empty.launch();
    expect(await empty.gone).toEqual({ ok: true, message: "" });
  });

  it("hands each node back, whatever its engine's end, and is gone after that", async () => {
    const { context, handle, retired } = rig(["a", "b", "c"], { retires: true });
    context.launch();
    handle("b").end("lost", 255);
    await noticed();
    handle("a").end();
    await noticed();
    handle("c").end();
    await context.gone;
    expect(retired).toEqual(["b 255 [a,c]", "a 0 [c]", "c 0 []", "closed"]);
  });
});
