import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds } from "./kinds.js";
import { Rig, dead, isAlive, until } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const succeeded = { kind: "exited", code: 0 };

/** Runs until there is a file `$DIR/go`. */
const hold = "until [ -e $DIR/go ]; do sleep 0.02; done";

/** A directory stands for the slot as long as somebody runs in it: whoever finds it there says so. */
const alone = (command: string): string =>
  `mkdir $DIR/slot.$SLOT || echo $SLOT >>$DIR/clash; ${command}; rmdir $DIR/slot.$SLOT`;

describe.each(kinds)("%s launcher: slots", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  describe("who has one", () => {
    it("is never more than one task at a time, in each of them", async () => {
      rig.setSlots(3);
      const tags = Array.from({ length: 150 }, (_, index) =>
        rig.enqueue(alone(`echo $SLOT >>$DIR/used; sleep 0.0${index % 4}`)),
      );
      for (const tag of tags) expect((await rig.ended(tag)).outcome).toEqual(succeeded);
      expect(rig.lines("clash")).toEqual([]);
      expect(rig.lines("used")).toHaveLength(150);
      expect(new Set(rig.lines("used"))).toEqual(new Set(["0", "1", "2"]));
    });

    it("are as many as there are slots at the same time, in the lowest ones first", async () => {
      rig.setSlots(4);
      const tags = Array.from({ length: 5 }, () => rig.enqueue(`echo $SLOT >>$DIR/begun; ${hold}`));
      await until("four have begun", () => rig.lines("begun").length === 4);
      expect(rig.lines("begun").toSorted()).toEqual(["0", "1", "2", "3"]);
      await rig.run("touch $DIR/go");
      for (const tag of tags) await rig.ended(tag);
      // One after the other: the lowest is always free.
      for (let round = 0; round < 3; round++)
        expect(text((await rig.ended(rig.enqueue("echo $SLOT"))).out.snippet)).toBe("0\n");
    });

    it("is who was enqueued first", async () => {
      rig.setSlots(3);
      const held = [1, 2].map(() => rig.enqueue(`echo >>$DIR/held; ${hold}`));
      await until("two are held", () => rig.lines("held").length === 2);
      const order = Array.from({ length: 40 }, (_, index) => String(index));
      const tags = order.map((number) => rig.enqueue(`echo ${number} >>$DIR/order`));
      for (const tag of tags) await rig.ended(tag);
      expect(rig.lines("order")).toEqual(order);
      await rig.run("touch $DIR/go");
      for (const tag of held) expect((await rig.ended(tag)).outcome).toEqual(succeeded);
    });

    it("is nobody who is launched at once: such a task waits for none and takes none", async () => {
      rig.setSlots(1);
      const first = rig.enqueue(`echo >>$DIR/begun; ${hold}`);
      const second = rig.enqueue("echo $SLOT");
      await rig.written("begun");
      const result = await rig.run('echo "${SLOT-none}"; touch $DIR/go');
      expect(text(result.out.snippet)).toBe("none\n");
      expect((await rig.ended(first)).outcome).toEqual(succeeded);
      expect(text((await rig.ended(second)).out.snippet)).toBe("0\n");
    });
  });

  describe("the next one starts", () => {
    it("when the shell has ended, although a child left behind holds the pipes", async () => {
      rig.setSlots(1);
      const first = rig.enqueue("sleep 600 & echo $! >$DIR/child; exit 3");
      const second = rig.enqueue("echo second; exit 4");
      expect((await rig.ended(second)).outcome).toEqual({ kind: "exited", code: 4 });
      expect((await rig.ended(first)).outcome).toEqual({ kind: "exited", code: 3 });
      const child = Number(await rig.written("child"));
      expect(isAlive(child)).toBe(true);
      process.kill(child, "SIGKILL");
      await dead(child);
    });

    it("whatever became of the one before", async () => {
      rig.setSlots(1);
      const tooLong = "true #".padEnd(131_072, "x");
      const commands = ["kill -9 $$", "exit 1", tooLong, "exec 1>&- 2>&-", "a\0b", "exec true", "exit 255"];
      const tags = commands.map((command) => rig.enqueue(command));
      const last = rig.enqueue("echo $SLOT");
      expect(text((await rig.ended(last)).out.snippet)).toBe("0\n");
      const kindsOfEnd = tags.map((tag) => rig.results.get(tag)?.outcome);
      expect(kindsOfEnd).toEqual([
        { kind: "signalled", signal: 9 },
        { kind: "exited", code: 1 },
        { kind: "failedToStart", errno: 7 },
        succeeded,
        { kind: "failedToStart", errno: 200 },
        succeeded,
        { kind: "exited", code: 255 },
      ]);
    });

    // The event loop of the plain launcher is ours.
    it.skipIf(kind === "node")("without us", async () => {
      rig.setSlots(2);
      for (let index = 0; index < 30; index++) rig.enqueue(`echo ${index} >>$DIR/done`);
      // What was enqueued is written when the turn of the loop is over.
      await rig.written("done");
      const clock = new Int32Array(new SharedArrayBuffer(4));
      const end = performance.now() + 30_000;
      while (rig.lines("done").length < 30 && performance.now() < end) Atomics.wait(clock, 0, 0, 20);
      expect(rig.lines("done")).toHaveLength(30);
    });
  });

  describe("what a slot gives to its task", () => {
    it("is added to what the task has of its own, and stronger; what we have is replaced", async () => {
      const env = { SLOT: "first", HOME: "/of/slot", ODD: "a=b c\nd 'e' \"f\" é", EMPTY: "" };
      rig.setSlots(1, () => ({ env }));
      const show = "cat /proc/$$/environ >$DIR/environ; env >$DIR/env; exit 5";
      const tag = rig.enqueue(show, { OWN: "own", SLOT: "task's" });
      expect((await rig.ended(tag)).outcome).toEqual({ kind: "exited", code: 5 });
      const found = rig.read("environ").toString().split("\0");
      expect(found).toEqual(
        expect.arrayContaining([
          ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
          "OWN=own",
        ]),
      );
      expect(found.filter((each) => each.startsWith("HOME="))).toEqual(["HOME=/of/slot"]);
      expect(found.filter((each) => each.startsWith("PATH="))).toEqual([`PATH=${process.env["PATH"]}`]);
      // What the task's own programs find.
      expect(rig.lines("env").filter((each) => each.startsWith("SLOT="))).toEqual(["SLOT=first"]);
    });

    it("may be much, and the task's own too", async () => {
      rig.setSlots(2, (slot) => ({ env: { SLOT: String(slot), BIG: "x".repeat(100_000) } }));
      const tags = [1, 2, 3].map((index) => rig.enqueue("echo ${#BIG} ${#OWN}", { OWN: "y".repeat(index) }));
      for (const [index, tag] of tags.entries())
        expect(text((await rig.ended(tag)).out.snippet)).toBe(`100000 ${index + 1}\n`);
    });

    it("is not for a task in no slot", async () => {
      rig.setSlots(1, () => ({ env: { SLOT: "0", HOME: "/of/slot" } }));
      await rig.ended(rig.enqueue("true"));
      const result = await rig.run('echo "$HOME ${SLOT-none}"');
      expect(text(result.out.snippet)).toBe(`${process.env["HOME"] ?? ""} none\n`);
    });
  });

  it("many at once each get their own end", async () => {
    rig.setSlots(8);
    const tags = Array.from({ length: 300 }, (_, index) => rig.enqueue(`echo ${index}; exit ${index % 7}`));
    for (const [index, tag] of tags.entries()) {
      const result = await rig.ended(tag);
      expect([result.outcome, text(result.out.snippet)]).toEqual([
        { kind: "exited", code: index % 7 },
        `${index}\n`,
      ]);
    }
  });

  it("a tag in use is refused, however it is used, and one out of range", async () => {
    rig.setSlots(1);
    const { launcher } = rig;
    const [command, env] = [Buffer.from("true"), {}];
    const launched = rig.launch(hold);
    const runs = rig.enqueue(hold);
    const waits = rig.enqueue("true");
    for (const tag of [launched, runs, waits, -1, 0.5, 2 ** 32]) {
      expect(() => launcher.launch({ tag, command, env })).toThrow(RangeError);
      expect(() => launcher.enqueue({ tag, command, env })).toThrow(RangeError);
    }
    await rig.run("touch $DIR/go");
    for (const tag of [launched, runs, waits]) expect((await rig.ended(tag)).outcome).toEqual(succeeded);
  });
});
