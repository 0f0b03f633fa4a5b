import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LaunchResult, Timeout } from "../../src/launcher/launcher.js";
import { NoopLauncher } from "../../src/launcher/noop-launcher.js";
import { until } from "./rig.js";

describe("the launcher that runs nothing", () => {
  let launcher: NoopLauncher;
  const batches: (readonly LaunchResult[])[] = [];
  const recalled: number[] = [];
  beforeEach(async () => {
    batches.length = recalled.length = 0;
    launcher = new NoopLauncher({
      onEnds: (results) => batches.push(results),
      onRecalled: (tags) => recalled.push(...tags),
      onFenced: () => undefined,
      onFailure: () => undefined,
    });
    await launcher.start();
  });
  afterEach(() => launcher.close());

  const setSlots = (count: number): void =>
    launcher.setSlots(Array.from({ length: count }, () => ({ env: {}, cpus: undefined })));
  const enqueue = (tag: number, command: string, timeout: Timeout | null = null): void =>
    launcher.enqueue({ tag, command: Buffer.from(command), env: {}, timeout });
  const ends = (): readonly number[] => batches.flat().map(({ tag }) => tag);
  const result = async (tag: number): Promise<LaunchResult> =>
    until(`the end of ${tag}`, () => batches.flat().find((each) => each.tag === tag));

  it("ends all but a sleep at once, all of one turn together, and not before the call returns", async () => {
    setSlots(1);
    for (const [tag, command] of [
      "true",
      "exit 3",
      "sleep",
      "sleep 1s",
      " sleep 600",
      "sleepy 600",
      "sleep 0",
    ].entries())
      enqueue(tag, command);
    launcher.launch({ tag: 7, command: Buffer.from("sleep 600"), env: {} });
    expect(batches).toEqual([]);
    await until("an end", () => batches.length > 0);
    expect(batches).toHaveLength(1);
    expect(ends()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const each of batches.flat())
      expect(each).toMatchObject({ outcome: { kind: "exited", code: 0 }, stopped: false, elapsed: 0 });
  });

  it("lets a sleep have a slot as long as it says: the next one waits, and what sleeps not is not held up", async () => {
    setSlots(1);
    enqueue(1, "sleep 600");
    enqueue(2, "sleep 0.02");
    enqueue(3, "true");
    await result(3);
    expect(ends()).toEqual([3]);
    launcher.stop(1);
    expect(await result(1)).toMatchObject({ outcome: { kind: "signalled", signal: 15 }, stopped: true });
    expect(await result(2)).toMatchObject({
      outcome: { kind: "exited", code: 0 },
      stopped: false,
      elapsed: 0.02,
    });
  });

  it("lets none sleep longer than it may", async () => {
    setSlots(1);
    enqueue(1, "sleep 600", { afterMs: 20, graceMs: 600_000 });
    enqueue(2, "sleep 0.001", { afterMs: 600_000, graceMs: 0 });
    enqueue(3, "true", { afterMs: 1, graceMs: 0 });
    expect(await result(1)).toMatchObject({
      outcome: { kind: "timedOut", signal: 15 },
      stopped: false,
      elapsed: 0.02,
    });
    for (const tag of [2, 3])
      expect(await result(tag)).toMatchObject({ outcome: { kind: "exited", code: 0 }, stopped: false });
  });

  it("runs as many sleeps at a time as there are slots, in order", async () => {
    setSlots(2);
    enqueue(1, "sleep 600");
    for (const tag of [2, 3, 4, 5]) enqueue(tag, "sleep 0.005");
    await result(5);
    expect(ends()).toEqual([2, 3, 4, 5]);
  });

  it("gives back what has no slot, and does not end it", async () => {
    setSlots(2);
    for (const tag of [1, 2, 3, 4]) enqueue(tag, "sleep 600");
    launcher.recall();
    expect(recalled).toEqual([]);
    await until("what waited", () => recalled.length === 2);
    expect(recalled).toEqual([3, 4]);
    for (const tag of [1, 2, 3, 4]) launcher.stop(tag);
    await result(2);
    expect(ends()).toEqual([1, 2]);
  });
});
