import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Rig, isAlive, kinds, processesIn, until } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const killed = { kind: "signalled", signal: 9 };
const terminated = { kind: "signalled", signal: 15 };
const lost = { kind: "lost" };

/** Longer than any test waits. */
const graceMs = 600_000;

describe.each(kinds)("%s launcher: stopping", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  /** Launches, and waits until it says that it is ready, in a file of its name. */
  async function ready(command: string, name = "ready"): Promise<number> {
    const tag = rig.launch(command);
    await rig.written(name);
    return tag;
  }

  it("TERM comes first", async () => {
    const tag = await ready("trap 'echo bye; exit 3' TERM; echo >$DIR/ready; while :; do sleep 0.05; done");
    rig.launcher.stop(tag, graceMs);
    const result = await rig.ended(tag);
    expect(result.outcome).toEqual({ kind: "exited", code: 3 });
    expect(result.stopped).toBe(true);
    expect(text(result.out.snippet)).toBe("bye\n");
  });

  it("a task that does not care about TERM is told so by its signal", async () => {
    const tag = await ready("echo >$DIR/ready; sleep 600");
    rig.launcher.stop(tag, graceMs);
    expect(await rig.ended(tag)).toMatchObject({ outcome: terminated, stopped: true });
  });

  it("KILL comes after the grace to who ignores TERM", async () => {
    const tag = await ready("trap '' TERM; echo >$DIR/ready; while :; do sleep 1; done");
    const before = performance.now();
    rig.launcher.stop(tag, 400);
    expect(await rig.ended(tag)).toMatchObject({ outcome: killed, stopped: true });
    expect(performance.now() - before).toBeGreaterThanOrEqual(399);
  });

  it("a smaller grace shortens, a larger one does not lengthen", async () => {
    const tag = await ready("trap '' TERM; echo >$DIR/ready; while :; do sleep 1; done");
    rig.launcher.stop(tag, graceMs);
    rig.launcher.stop(tag, 0);
    rig.launcher.stop(tag, graceMs);
    expect(await rig.ended(tag)).toMatchObject({ outcome: killed, stopped: true });
  });

  it("a stopped process dies of TERM too", async () => {
    const tag = await ready("sleep 600 & echo $! >$DIR/ready; kill -STOP $! $$");
    const child = Number(await rig.written("ready"));
    rig.launcher.stop(tag, graceMs);
    expect((await rig.ended(tag)).stopped).toBe(true);
    expect(isAlive(child)).toBe(false);
  });

  const daemon =
    "setsid bash -c 'trap \"\" TERM HUP; echo $$ >$DIR/ready; while :; do sleep 1; done' >/dev/null 2>&1 </dev/null &";

  it("reaches a child in a session of its own whose parents are gone", async () => {
    const tag = await ready(`(setsid bash -c '(${daemon.replaceAll("'", "'\\''")})' &); sleep 600`);
    const child = Number(await rig.written("ready"));
    expect(isAlive(child)).toBe(true);
    rig.launcher.stop(tag, 100);
    await rig.ended(tag);
    expect(isAlive(child)).toBe(false);
  });

  it("is told only when the whole tree is dead, also when the shell has ended long before", async () => {
    const tag = await ready(`${daemon} sleep 600`);
    const child = Number(await rig.written("ready"));
    rig.launcher.stop(tag, 500);
    expect(await rig.ended(tag)).toMatchObject({ outcome: terminated, stopped: true });
    expect(isAlive(child)).toBe(false);
    expect((await rig.ended(tag)).elapsed).toBeLessThan(20);
  });

  it("ends as soon as the tree is gone, long before the grace", async () => {
    const tag = await ready(
      "(trap 'sleep 0.3; exit' TERM; echo >$DIR/ready; while :; do sleep 0.05; done) & sleep 600",
    );
    rig.launcher.stop(tag, graceMs);
    expect(await rig.ended(tag)).toMatchObject({ outcome: terminated, stopped: true });
    expect(processesIn(rig.directory)).toEqual([]);
  });

  it("touches no other task, nor what another has left behind", async () => {
    const leaver = await rig.run("sleep 600 >/dev/null 2>&1 & echo $!");
    const left = Number(text(leaver.out.snippet));
    const other = rig.launch(
      "sleep 600 & echo $! >$DIR/other; until [ -e $DIR/go ]; do sleep 0.05; done; kill $!; echo done",
    );
    const child = Number(await rig.written("other"));
    const tag = await ready("echo >$DIR/ready; sleep 600");
    rig.launcher.stop(tag, 0);
    expect(await rig.ended(tag)).toMatchObject({ outcome: killed, stopped: true });
    expect([isAlive(left), isAlive(child)]).toEqual([true, true]);
    await rig.run("touch $DIR/go");
    expect(await rig.ended(other)).toMatchObject({ outcome: { kind: "exited", code: 0 }, stopped: false });
    process.kill(left, "SIGKILL");
    await until("its death", () => !isAlive(left));
  });

  it("right after the launch, with and without a grace", async () => {
    for (const grace of [0, graceMs]) {
      const tag = rig.launch("trap '' TERM; sleep 0.5; sleep 600");
      rig.launcher.stop(tag, grace);
      rig.launcher.stop(tag, Math.min(grace, 2000));
      expect(await rig.ended(tag)).toMatchObject({ stopped: true });
    }
    expect(processesIn(rig.directory)).toEqual([]);
  });

  it("wins against children that keep coming", async () => {
    const tag = await ready(
      "f() { while :; do (sleep 5 & sleep 0.02; f) & sleep 0.03; done; }; f & echo >$DIR/ready; sleep 600",
    );
    await until("a dozen processes", () => processesIn(rig.directory).length > 12);
    rig.launcher.stop(tag, 0);
    expect(await rig.ended(tag)).toMatchObject({ outcome: killed, stopped: true });
    expect(processesIn(rig.directory)).toEqual([]);
  });

  it("a task that has ended by itself keeps its result", async () => {
    const result = await rig.run("exit 6");
    rig.launcher.stop(result.tag, 0);
    expect(result).toMatchObject({ outcome: { kind: "exited", code: 6 }, stopped: false });
    expect((await rig.run("true")).stopped).toBe(false);
    expect(rig.told).toHaveLength(2);
  });

  it("many at once", async () => {
    const tags = Array.from({ length: 60 }, () => rig.launch("sleep 600 & sleep 600"));
    await until("all of them", () => processesIn(rig.directory).length >= 120);
    for (const tag of tags) rig.launcher.stop(tag, graceMs);
    for (const tag of tags) expect((await rig.ended(tag)).stopped).toBe(true);
    expect(processesIn(rig.directory)).toEqual([]);
  });

  describe("the fence", () => {
    it("kills every tree when the deadline passes, tells it as lost, and then that it fell", async () => {
      const first = await ready(`${daemon} sleep 600`);
      const second = rig.launch("sleep 600");
      const child = Number(await rig.written("ready"));
      rig.launcher.setDeadline(50);
      await until("the fence", () => rig.told.includes("fenced"));
      expect(new Set(rig.told)).toEqual(new Set([first, second, "fenced"]));
      expect(rig.told.at(-1)).toBe("fenced");
      for (const tag of [first, second]) {
        expect(rig.results.get(tag)).toMatchObject({ outcome: lost, stopped: true });
      }
      expect(isAlive(child)).toBe(false);
      expect(processesIn(rig.directory)).toEqual([]);
    });

    it("refuses launches until there is a new deadline", async () => {
      rig.launcher.setDeadline(0);
      await until("the fence", () => rig.told.includes("fenced"));
      expect(await rig.run("echo >$DIR/ran")).toMatchObject({ outcome: lost, stopped: true, pid: -1 });
      rig.launcher.setDeadline(600_000);
      expect(await rig.run("true")).toMatchObject({ outcome: { kind: "exited", code: 0 }, stopped: false });
      expect(rig.read("ran")).toHaveLength(0);
    });

    it("does not fall while it is moved on", async () => {
      const tag = rig.launch("for i in 1 2 3 4 5 6; do echo $i >>$DIR/beats; sleep 0.2; done");
      for (let beat = 1; beat <= 6; beat++) {
        rig.launcher.setDeadline(20_000 + beat);
        await until(`beat ${beat}`, () => rig.read("beats").toString().includes(String(beat)));
      }
      rig.launcher.setDeadline(2 ** 40);
      expect(await rig.ended(tag)).toMatchObject({ outcome: { kind: "exited", code: 0 } });
      expect(rig.told).toEqual([tag]);
    });

    it("leaves alone what tasks that have ended left behind", async () => {
      const left = Number(text((await rig.run("sleep 600 >/dev/null 2>&1 & echo $!")).out.snippet));
      rig.launch("sleep 600");
      rig.launcher.setDeadline(50);
      await until("the fence", () => rig.told.includes("fenced"));
      expect(isAlive(left)).toBe(true);
      process.kill(left, "SIGKILL");
      await until("its death", () => !isAlive(left));
    });
  });

  describe("closing", () => {
    it("waits for the end of the guarding process, and twice is fine", async () => {
      const { pid } = rig.launcher;
      expect(pid !== undefined && isAlive(pid)).toBe(true);
      await Promise.all([rig.launcher.close(), rig.launcher.close()]);
      expect(isAlive(pid ?? 0)).toBe(false);
      await rig.launcher.close();
      expect(rig.told).toEqual([]);
    });

    it("kills what still runs and tells it as lost", async () => {
      const tag = await ready(`${daemon} sleep 600`);
      const child = Number(await rig.written("ready"));
      await rig.launcher.close();
      expect(rig.results.get(tag)).toMatchObject({ outcome: lost, stopped: true });
      expect(rig.told).toEqual([tag]);
      expect(isAlive(child)).toBe(false);
    });

    it("launches are refused afterwards, and it cannot be started again", async () => {
      await rig.launcher.close();
      expect(await rig.run("echo >$DIR/ran")).toMatchObject({ outcome: lost, stopped: true, pid: -1 });
      await expect(rig.launcher.start()).rejects.toThrow("closed");
      expect(rig.read("ran")).toHaveLength(0);
    });
  });
});
