import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds, perlKinds } from "./kinds.js";
import { Rig, daemon, dead, isAlive, until } from "./rig.js";

describe.each(kinds)("%s launcher: when the guarding process is killed", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  it("its trees are dead, their ends told as lost, and it can be started again", async () => {
    const tags = [rig.launch(`${daemon} sleep 600`), rig.launch("echo >$DIR/second; exec env -i sleep 600")];
    const child = Number(await rig.written("daemon"));
    await rig.written("second");
    const { pid } = rig.launcher;
    process.kill(pid ?? 0, "SIGKILL");
    await until("the failure", () => rig.told.includes("failure"));
    expect(new Set(rig.told)).toEqual(new Set([...tags, "failure"]));
    expect(rig.told.at(-1)).toBe("failure");
    for (const tag of tags) {
      expect(rig.results.get(tag)).toMatchObject({ outcome: { kind: "lost" }, stopped: false });
      await dead(rig.results.get(tag)?.pid ?? 0);
    }
    expect(isAlive(child)).toBe(false);
    expect(await rig.run("echo >$DIR/ran")).toMatchObject({ outcome: { kind: "lost" }, pid: -1 });
    await rig.launcher.start();
    expect(rig.launcher.pid).not.toBe(pid);
    expect(await rig.run("true")).toMatchObject({ outcome: { kind: "exited", code: 0 } });
    expect(rig.read("ran")).toHaveLength(0);
  });

  it("the deadline holds for the next one", async () => {
    rig.launcher.setDeadline(1000);
    process.kill(rig.launcher.pid ?? 0, "SIGKILL");
    await until("the failure", () => rig.told.includes("failure"));
    await rig.launcher.start();
    const tag = rig.launch("sleep 600");
    expect(await rig.ended(tag)).toMatchObject({ outcome: { kind: "lost" }, stopped: true });
    await until("the fence", () => rig.told.includes("fenced"));
  });
});

describe.each(perlKinds)("%s launcher: short of descriptors", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());
  const limit = (most: number, pid = rig.launcher.pid): void => {
    execFileSync("prlimit", ["--pid", String(pid), `--nofile=${most}:4096`]);
  };
  const tooMany = { kind: "failedToStart", errno: 24 };

  it("tasks wait until there are some", async () => {
    limit(40);
    const tags = Array.from({ length: 16 }, () => rig.launch("sleep 0.2"));
    for (const tag of tags) expect((await rig.ended(tag)).outcome).toEqual({ kind: "exited", code: 0 });
  });

  it("slots are kept by those that wait, and left to the next ones", async () => {
    rig.setSlots(16);
    limit(40);
    const tags = Array.from({ length: 40 }, () => rig.enqueue("sleep 0.1"));
    for (const tag of tags) expect((await rig.ended(tag)).outcome).toEqual({ kind: "exited", code: 0 });
  });

  it("a task that gets none for seconds fails to start, with the reason, and its slot is free", async () => {
    rig.setSlots(2);
    limit(8);
    const tags = [rig.launch("true"), rig.enqueue("true"), rig.enqueue("true")];
    for (const tag of tags) {
      const result = await rig.ended(tag);
      expect(result.outcome).toEqual(tooMany);
      expect(Buffer.from(result.lastWords).toString()).toBe(
        "Exception during task execution: [Errno 24] Too many open files",
      );
    }
    limit(1024);
    const both = [1, 2].map(() =>
      rig.enqueue("echo $SLOT >>$DIR/slots; until [ $(wc -l <$DIR/slots) = 2 ]; do sleep 0.02; done"),
    );
    for (const tag of both) expect((await rig.ended(tag)).outcome).toEqual({ kind: "exited", code: 0 });
    expect(rig.lines("slots").toSorted()).toEqual(["0", "1"]);
  });

  it("a task that waits for some can be stopped, and what is behind it recalled", async () => {
    rig.setSlots(1);
    limit(8);
    const first = rig.enqueue("true");
    const second = rig.enqueue("true");
    rig.launcher.recall();
    await rig.answered([second]);
    rig.launcher.stop(first, 0);
    expect(await rig.ended(first)).toMatchObject({ outcome: { kind: "lost" }, stopped: true, pid: -1 });
    limit(1024);
    expect((await rig.ended(rig.enqueue("exit 3"))).outcome).toEqual({ kind: "exited", code: 3 });
    expect(rig.recalled).toEqual([second]);
  });
});
