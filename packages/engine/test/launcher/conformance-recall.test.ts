import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds } from "./kinds.js";
import { Rig, daemon, isAlive, processesIn, until } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const succeeded = { kind: "exited", code: 0 };

/** Runs until there is a file `$DIR/go`; minds no TERM. */
const hold = "trap '' TERM; echo >>$DIR/begun; until [ -e $DIR/go ]; do sleep 0.02; done";

describe.each(kinds)("%s launcher: what waits for a slot", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  /** So many slots with a task in each. */
  async function full(slots: number): Promise<readonly number[]> {
    rig.setSlots(slots);
    const tags = Array.from({ length: slots }, () => rig.enqueue(hold));
    await until("all slots are taken", () => rig.lines("begun").length === slots);
    return tags;
  }

  /** Each would say so if it ran. */
  const waiting = (count: number): readonly number[] =>
    Array.from({ length: count }, () => rig.enqueue("echo $SLOT >>$DIR/ran"));

  /** All slots are free and usable, each once. */
  async function expectAllFree(slots: number): Promise<void> {
    const tags = Array.from({ length: slots }, () =>
      rig.enqueue(
        `echo $SLOT >>$DIR/free; until [ "$(wc -l <$DIR/free)" -ge ${slots} ]; do sleep 0.02; done`,
      ),
    );
    for (const tag of tags) expect((await rig.ended(tag)).outcome).toEqual(succeeded);
    expect(new Set(rig.lines("free")).size).toBe(slots);
  }

  describe("recalled", () => {
    it("is given back in order and never runs, while what runs is untouched", async () => {
      const running = await full(2);
      const tags = waiting(5);
      rig.launcher.recall();
      await rig.answered(tags);
      expect(rig.recalled).toEqual(tags);
      expect(rig.told).toEqual([]);
      await rig.run("touch $DIR/go");
      for (const tag of running) expect((await rig.ended(tag)).outcome).toEqual(succeeded);
      await expectAllFree(2);
      expect(rig.lines("ran")).toEqual([]);
      expect(rig.recalled).toEqual(tags);
    });

    it("may be enqueued again, under the same tag", async () => {
      await full(1);
      const [tag = 0] = waiting(1);
      rig.launcher.recall();
      await rig.answered([tag]);
      rig.recalled.length = 0;
      rig.launcher.enqueue({ tag, command: Buffer.from("echo again"), env: {} });
      await rig.run("touch $DIR/go");
      expect(text((await rig.ended(tag)).out.snippet)).toBe("again\n");
    });

    it("when there is nothing is not answered", async () => {
      rig.setSlots(1);
      rig.launcher.recall();
      rig.launcher.recall();
      const [tag = 0] = waiting(1);
      rig.launcher.recall();
      expect((await rig.ended(tag)).outcome).toEqual(succeeded);
      expect(rig.recalled).toEqual([]);
    });

    it("either has run or never will, whenever that is asked", async () => {
      rig.setSlots(2);
      const tags: number[] = [];
      for (let round = 0; round < 15; round++) {
        for (let i = 0; i < 20; i++) {
          const number = tags.length + 1;
          tags.push(rig.enqueue(`echo ${number} >>$DIR/ran`));
        }
        const seen = rig.results.size;
        await until("something has ended", () => rig.results.size > seen);
        rig.launcher.recall();
      }
      await rig.answered(tags);
      const ran = rig.lines("ran").map(Number);
      expect(ran.toSorted((a, b) => a - b)).toEqual([...rig.results.keys()].toSorted((a, b) => a - b));
      expect(ran.length + rig.recalled.length).toBe(tags.length);
      expect(rig.recalled.length).toBeGreaterThan(0);
    });
  });

  describe("while another is stopped", () => {
    it("waits until its whole tree is dead", async () => {
      rig.setSlots(1);
      const first = rig.enqueue(`${daemon} sleep 600`);
      const child = Number(await rig.written("daemon"));
      const second = rig.enqueue(`cat /proc/${child}/stat >$DIR/child; echo >$DIR/second`);
      rig.launcher.stop(first, 400);
      expect(await rig.ended(first)).toMatchObject({
        outcome: { kind: "signalled", signal: 15 },
        stopped: true,
      });
      await rig.written("second");
      // Empty when it was gone; Z when only its parent was yet to hear of it.
      expect(rig.read("child").toString()).toMatch(/^$|\) [ZX] /);
      expect((await rig.ended(second)).outcome).toEqual(succeeded);
    });

    it("is itself passed over by a stop, and runs in its turn", async () => {
      const [first = 0] = await full(1);
      const tags = waiting(3);
      for (const tag of tags) rig.launcher.stop(tag, 0);
      rig.launcher.stop(first, 0);
      expect(await rig.ended(first)).toMatchObject({
        outcome: { kind: "signalled", signal: 9 },
        stopped: true,
      });
      for (const tag of tags) expect((await rig.ended(tag)).outcome).toEqual(succeeded);
    });

    it("has no slot of one that is stopped right after it was enqueued", async () => {
      rig.setSlots(1);
      for (let round = 0; round < 5; round++) {
        const tag = rig.enqueue("sleep 600");
        rig.launcher.stop(tag, 0);
        expect((await rig.ended(tag)).stopped).toBe(true);
      }
      expect((await rig.ended(rig.enqueue("true"))).outcome).toEqual(succeeded);
      expect(processesIn(rig.directory)).toEqual([]);
    });
  });

  describe("when the deadline passes", () => {
    it("is given back, what ran is lost, and nothing starts before there is a new one", async () => {
      const running = await full(2);
      const tags = waiting(20);
      rig.launcher.setDeadline(50);
      await until("the fence", () => rig.told.includes("fenced"));
      expect(new Set(rig.told)).toEqual(new Set([...running, "fenced"]));
      for (const tag of running)
        expect(rig.results.get(tag)).toMatchObject({ outcome: { kind: "lost" }, stopped: true });
      await rig.answered(tags);
      const late = waiting(3);
      await rig.answered(late);
      expect(rig.recalled).toEqual([...tags, ...late]);
      rig.launcher.setDeadline(600_000);
      await expectAllFree(2);
      expect(rig.lines("ran")).toEqual([]);
    });
  });

  describe("when the launcher is closed", () => {
    it("is given back and never runs, and what ran is lost", async () => {
      const running = await full(2);
      const tags = waiting(20);
      await rig.launcher.close();
      for (const tag of running)
        expect(rig.results.get(tag)).toMatchObject({ outcome: { kind: "lost" }, stopped: true });
      expect([rig.recalled, new Set(rig.told)]).toEqual([tags, new Set(running)]);
      const late = waiting(2);
      await rig.answered(late);
      expect(rig.recalled).toEqual([...tags, ...late]);
      expect([rig.lines("ran"), processesIn(rig.directory)]).toEqual([[], []]);
    });
  });

  describe("when the guarding process is killed", () => {
    it("never runs, each is answered once, and it can be started again, with the same slots", async () => {
      const running = await full(2);
      const tags = waiting(20);
      // In the launcher's hands by then: it has done what came after.
      await rig.run("true");
      const { pid } = rig.launcher;
      if (pid === undefined || pid <= 1) throw new Error("no launcher");
      process.kill(pid, "SIGKILL");
      await until("the failure", () => rig.told.includes("failure"));
      await rig.answered([...running, ...tags]);
      for (const tag of running) expect(rig.results.get(tag)?.outcome).toEqual({ kind: "lost" });
      for (const tag of tags)
        expect(rig.results.get(tag)?.outcome ?? "recalled").toEqual(
          kind === "node" ? "recalled" : { kind: "lost" },
        );
      const between = waiting(2);
      await rig.answered(between);
      expect(rig.recalled).toEqual(expect.arrayContaining([...between]));
      await rig.launcher.start();
      await expectAllFree(2);
      expect([rig.lines("ran"), isAlive(pid)]).toEqual([[], false]);
    });

    it("is answered for once whenever it comes", async () => {
      const running = await full(2);
      const { pid } = rig.launcher;
      if (pid === undefined || pid <= 1) throw new Error("no launcher");
      process.kill(pid, "SIGKILL");
      const tags: number[] = [];
      await until("the failure", () => {
        tags.push(...waiting(1), rig.launch("true"));
        return rig.told.includes("failure");
      });
      const started = rig.launcher.start();
      const late = [rig.enqueue("true"), rig.launch("true")];
      await started;
      await rig.answered([...running, ...tags, ...late]);
      await expectAllFree(2);
    });
  });
});
