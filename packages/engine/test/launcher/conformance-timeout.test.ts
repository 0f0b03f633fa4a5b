import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds, ways } from "./kinds.js";
import { Rig, daemon, isAlive, processesIn } from "./rig.js";

const terminated = { kind: "timedOut", signal: 15 };
const killed = { kind: "timedOut", signal: 9 };
const success = { kind: "exited", code: 0 };

/** Longer than any test waits. */
const ages = 600_000;
const stubborn = "trap '' TERM; while :; do sleep 0.05; done";

describe.each(ways)("$kind launcher, a timeout of what was started $way", ({ kind, options }) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind, options);
  });
  afterEach(() => rig.close());

  const launch = (command: string, afterMs: number, graceMs: number): number =>
    rig.launch(command, {}, { afterMs, graceMs });

  it("TERM comes when its time is up, and not before", async () => {
    const result = await rig.ended(launch("sleep 600", 300, ages));
    expect(result).toMatchObject({ outcome: terminated, stopped: false });
    expect(result.elapsed).toBeGreaterThanOrEqual(0.3);
    expect(result.pid).toBeGreaterThan(1);
  });

  it("KILL comes after the grace to who ignores TERM", async () => {
    const result = await rig.ended(launch(stubborn, 100, 300));
    expect(result).toMatchObject({ outcome: killed, stopped: false });
    expect(result.elapsed).toBeGreaterThanOrEqual(0.4);
  });

  it("KILL comes at once without a grace", async () => {
    expect(await rig.ended(launch("sleep 600", 100, 0))).toMatchObject({ outcome: killed, stopped: false });
  });

  it("what a task says after TERM is told, but not that it went well", async () => {
    const result = await rig.ended(
      launch("trap 'echo bye; echo late >&2; exit 0' TERM; while :; do sleep 0.02; done", 200, ages),
    );
    expect(result).toMatchObject({ outcome: terminated, stopped: false });
    expect(Buffer.from(result.out.snippet).toString()).toBe("bye\n");
    expect(Buffer.from(result.lastWords).toString()).toMatch(/late\n$/);
  });

  it("reaches the whole tree, children in sessions of their own too, and is told when all of it is dead", async () => {
    const tag = launch(`${daemon} (sleep 600 &) ; sleep 600`, 1000, 200);
    const child = Number(await rig.written("daemon"));
    expect(isAlive(child)).toBe(true);
    expect(await rig.ended(tag)).toMatchObject({ outcome: terminated });
    expect(processesIn(rig.directory)).toEqual([]);
  });

  it("a task that has ended in time keeps its result", async () => {
    expect(await rig.ended(launch("exit 6", ages, 0))).toMatchObject({
      outcome: { kind: "exited", code: 6 },
    });
    const short = await rig.ended(launch("true", 200, 0));
    expect(short).toMatchObject({ outcome: success, stopped: false });
    // Its successor has the time of its own, not what was left of that.
    const next = await rig.ended(launch("sleep 0.3", 10_000, 0));
    expect(next).toMatchObject({ outcome: success });
    expect(rig.told).toHaveLength(3);
  });

  it("each has its own time, and those without any have all there is", async () => {
    const endless = rig.launch("until [ -e $DIR/go ]; do sleep 0.02; done");
    const long = launch("sleep 600", 500, ages);
    const short = launch("sleep 600", 100, ages);
    const timely = launch("sleep 0.01", ages, ages);
    for (const tag of [long, short]) expect(await rig.ended(tag)).toMatchObject({ outcome: terminated });
    expect(rig.told).toEqual([timely, short, long]);
    await rig.run("touch $DIR/go");
    expect(await rig.ended(endless)).toMatchObject({ outcome: success });
  });

  it("one that is being stopped when its time is up is stopped for that reason", async () => {
    const tag = launch(`echo >$DIR/ready; ${stubborn}`, 1500, 0);
    await rig.written("ready");
    rig.launcher.stop(tag, 3000);
    expect(await rig.ended(tag)).toMatchObject({ outcome: { kind: "signalled", signal: 9 }, stopped: true });
    expect((await rig.ended(tag)).elapsed).toBeGreaterThanOrEqual(2.9);
  });

  it("one whose time is up is stopped sooner when it is to be stopped", async () => {
    const tag = launch(`trap 'echo >$DIR/termed' TERM; while :; do sleep 0.02; done`, 200, ages);
    await rig.written("termed");
    rig.launcher.stop(tag, 0);
    expect(await rig.ended(tag)).toMatchObject({ outcome: killed, stopped: false });
  });

  it("one that is overtaken by the fence is lost", async () => {
    const tag = launch(`trap 'echo >$DIR/termed' TERM; while :; do sleep 0.02; done`, 200, ages);
    await rig.written("termed");
    rig.launcher.setDeadline(0);
    expect(await rig.ended(tag)).toMatchObject({ outcome: { kind: "lost" }, stopped: true });
  });
});

describe.each(kinds)("%s launcher, timeouts in slots", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind, { slots: 1 });
  });
  afterEach(() => rig.close());

  it("count from when a task has its slot", async () => {
    const first = rig.launch("sleep 0.5", {}, null);
    const second = rig.launch("sleep 0.2", {}, { afterMs: 400, graceMs: 0 });
    const third = rig.launch("sleep 600", {}, { afterMs: 200, graceMs: 0 });
    expect(await rig.ended(first)).toMatchObject({ outcome: success });
    expect(await rig.ended(second)).toMatchObject({ outcome: success });
    expect(await rig.ended(third)).toMatchObject({ outcome: killed });
    expect((await rig.ended(third)).elapsed).toBeGreaterThanOrEqual(0.2);
  });

  it("leave the slot to the next one", async () => {
    const tags = Array.from({ length: 5 }, () => rig.launch("sleep 600", {}, { afterMs: 50, graceMs: ages }));
    for (const tag of tags) expect(await rig.ended(tag)).toMatchObject({ outcome: terminated });
    expect(rig.told).toEqual(tags);
  });

  it("are forgotten with what is recalled: its tag may come again", async () => {
    const holder = rig.launch("sleep 600");
    const request = { tag: 77, command: Buffer.from("sleep 0.3"), env: { DIR: rig.directory } };
    rig.launcher.enqueue({ ...request, timeout: { afterMs: 50, graceMs: 0 } });
    rig.launcher.recall();
    await rig.answered([77]);
    rig.recalled.length = 0;
    rig.launcher.stop(holder, 0);
    rig.launcher.enqueue(request);
    expect(await rig.ended(77)).toMatchObject({ outcome: success });
  });

  it("come for many at once", async () => {
    await rig.close();
    rig = await Rig.open(kind, { slots: 40 });
    const tags = Array.from({ length: 40 }, () =>
      rig.launch("sleep 600 & sleep 600", {}, { afterMs: 1000, graceMs: ages }),
    );
    for (const tag of tags) expect(await rig.ended(tag)).toMatchObject({ outcome: terminated });
    expect(processesIn(rig.directory)).toEqual([]);
  });
});
