import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ways } from "./kinds.js";
import { Rig, daemon, isAlive, processesIn, until } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const killed = { kind: "signalled", signal: 9 };
const terminated = { kind: "signalled", signal: 15 };

/** Longer than any test waits. */
const graceMs = 600_000;

describe.each(ways)("$kind launcher, stopping what was started $way", ({ kind, options }) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind, options);
  });
  afterEach(() => rig.close());

  it("TERM comes first", async () => {
    const tag = await rig.ready(
      "trap 'echo bye; exit 3' TERM; echo >$DIR/ready; while :; do sleep 0.05; done",
    );
    rig.launcher.stop(tag, graceMs);
    const result = await rig.ended(tag);
    expect(result.outcome).toEqual({ kind: "exited", code: 3 });
    expect(result.stopped).toBe(true);
    expect(text(result.out.snippet)).toBe("bye\n");
  });

  it("a task that does not care about TERM is told so by its signal", async () => {
    const tag = await rig.ready("echo >$DIR/ready; sleep 600");
    rig.launcher.stop(tag, graceMs);
    expect(await rig.ended(tag)).toMatchObject({ outcome: terminated, stopped: true });
  });

  it("KILL comes after the grace to who ignores TERM", async () => {
    const tag = await rig.ready("trap '' TERM; echo >$DIR/ready; while :; do sleep 1; done");
    const before = performance.now();
    rig.launcher.stop(tag, 400);
    expect(await rig.ended(tag)).toMatchObject({ outcome: killed, stopped: true });
    expect(performance.now() - before).toBeGreaterThanOrEqual(399);
  });

  it("a smaller grace shortens, a larger one does not lengthen", async () => {
    const tag = await rig.ready("trap '' TERM; echo >$DIR/ready; while :; do sleep 1; done");
    rig.launcher.stop(tag, graceMs);
    rig.launcher.stop(tag, 0);
    rig.launcher.stop(tag, graceMs);
    expect(await rig.ended(tag)).toMatchObject({ outcome: killed, stopped: true });
  });

  it("a stopped process dies of TERM too", async () => {
    const tag = await rig.ready("sleep 600 & echo $! >$DIR/ready; kill -STOP $! $$");
    const child = Number(await rig.written("ready"));
    rig.launcher.stop(tag, graceMs);
    expect((await rig.ended(tag)).stopped).toBe(true);
    expect(isAlive(child)).toBe(false);
  });

  it("reaches a child in a session of its own whose parents are gone", async () => {
    const tag = await rig.ready(
      `(setsid bash -c '(${daemon.replaceAll("'", "'\\''")})' &); sleep 600`,
      "daemon",
    );
    const child = Number(await rig.written("daemon"));
    expect(isAlive(child)).toBe(true);
    rig.launcher.stop(tag, 100);
    await rig.ended(tag);
    expect(isAlive(child)).toBe(false);
  });

  it("is told only when the whole tree is dead, also when the shell has ended long before", async () => {
    const tag = await rig.ready(`${daemon} sleep 600`, "daemon");
    const child = Number(await rig.written("daemon"));
    rig.launcher.stop(tag, 500);
    expect(await rig.ended(tag)).toMatchObject({ outcome: terminated, stopped: true });
    expect(isAlive(child)).toBe(false);
  });

  it("ends as soon as the tree is gone, long before the grace", async () => {
    const tag = await rig.ready(
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
    const tag = await rig.ready("echo >$DIR/ready; sleep 600");
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
    const tag = await rig.ready(
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
});
