import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds } from "./kinds.js";
import { Rig, daemon, isAlive, processesIn, until } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const lost = { kind: "lost" };

describe.each(kinds)("%s launcher: killing all", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  describe("the fence", () => {
    it("kills every tree when the deadline passes, tells it as lost, and then that it fell", async () => {
      const first = await rig.ready(`${daemon} sleep 600`, "daemon");
      const second = rig.launch("sleep 600");
      const child = Number(await rig.written("daemon"));
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
      const tag = await rig.ready(`${daemon} sleep 600`, "daemon");
      const child = Number(await rig.written("daemon"));
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
