import { taskId } from "@taskmuster/kvs/protocol";
import { expect, it } from "vitest";
import { TestEngine, bytes, isRung, reportTexts, task, tasks } from "../actors.js";
import type { Bench } from "./bench.js";

export function reportSuite({ open }: Bench): void {
  it("receives reports in order without taking them away", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 2));
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(3);
    await engine.finish(0, 2);
    await engine.finish(1);
    const all = await store.receive(token, 10);
    expect(all.from).toBe(0);
    expect(reportTexts(all.reports)).toEqual([
      "engine01/1 end of 0",
      "engine01/2 end of 2",
      "engine01/3 end of 1",
    ]);
    expect(reportTexts((await store.receive(token, 2)).reports)).toHaveLength(2);
    expect(await store.snapshot()).toMatchObject({ reports: 3, engines: [{ claims: 0 }] });
  });

  it("keeps the bytes of a report", async () => {
    const { store, token } = await open();
    const engine = await TestEngine.join(store, "engine01");
    const body = Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256));
    await engine.exchange({ reports: [{ number: 1, ends: null, body }] });
    const { reports } = await store.receive(token, 1);
    expect(Buffer.compare(Buffer.from(reports[0]?.body ?? []), body)).toBe(0);
  });

  it("drops what is acknowledged, and counts on", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 4));
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(5);
    await engine.finish(0, 1, 2);
    await store.acknowledge(token, 2);
    await store.acknowledge(token, 2);
    await store.acknowledge(token, 1);
    const left = await store.receive(token, 10);
    expect({ from: left.from, reports: reportTexts(left.reports) }).toEqual({
      from: 2,
      reports: ["engine01/3 end of 2"],
    });
    // More than there is acknowledges what there is.
    await store.acknowledge(token, 99);
    expect(await store.receive(token, 10)).toEqual({ from: 3, reports: [] });
    await engine.finish(3);
    expect((await store.receive(token, 10)).from).toBe(3);
  });

  it("tells each engine which of its reports are on disk", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 3));
    const one = await TestEngine.join(store, "engine01");
    const two = await TestEngine.join(store, "engine02");
    await one.claim(2);
    await two.claim(2);
    await one.finish(0);
    await two.finish(2, 3);
    expect((await one.finish(1)).acknowledged).toBe(0);
    await store.acknowledge(token, 2);
    expect((await one.exchange()).acknowledged).toBe(1);
    expect((await store.renew({ engine: two.id, counter: 1, stats: bytes("") })).acknowledged).toBe(1);
    await store.acknowledge(token, 4);
    expect((await one.exchange()).acknowledged).toBe(2);
    expect((await two.exchange()).acknowledged).toBe(2);
  });

  it("acknowledges thousands at once", async () => {
    const { store, token } = await open();
    const engine = await TestEngine.join(store, "engine01");
    const reports = Array.from({ length: 2_500 }, (_, index) => ({
      number: index + 1,
      ends: taskId(index),
      body: bytes("r"),
    }));
    await engine.exchange({ reports });
    await store.acknowledge(token, 2_400);
    expect((await store.receive(token, 1_000)).reports).toHaveLength(100);
    expect((await engine.exchange()).acknowledged).toBe(2_400);
  });

  it("takes each report once: repeated, or sent again after a lost answer with a new claim", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, tasks(0, 1));
    const engine = await TestEngine.join(store, "engine01");
    await engine.claim(2);
    const first = { number: 1, ends: taskId(0), body: bytes("one") };
    const second = { number: 2, ends: taskId(1), body: bytes("two") };
    await engine.exchange({ reports: [first] });
    await engine.again({ reports: [first] });
    await engine.exchange({ reports: [first, second] });
    expect(reportTexts((await store.receive(token, 10)).reports)).toEqual([
      "engine01/1 one",
      "engine01/2 two",
    ]);
  });

  it("rings the driver for reports, and an engine that waits for their acknowledgement", async () => {
    const { store, token } = await open();
    await store.publish(token, 1, [task(0), task(1)]);
    const waits = await TestEngine.join(store, "engine01");
    const works = await TestEngine.join(store, "engine02");
    await isRung(store, "driver");
    await waits.claim(1);
    await works.claim(1);
    expect(await isRung(store, "driver")).toBe(false);
    await works.finish(1);
    expect(await isRung(store, "driver")).toBe(true);
    waits.reports++;
    await waits.exchange({
      reports: [{ number: 1, ends: taskId(0), body: bytes("") }],
      awaitsAcknowledgement: true,
    });
    await store.acknowledge(token, 2);
    expect(await isRung(store, waits.id)).toBe(true);
    expect(await isRung(store, works.id)).toBe(false);
  });
}
