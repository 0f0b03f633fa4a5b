import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allowedCpus } from "../../src/core/cpu-list.js";
import { cpuMask } from "../../src/launcher/cpu-mask.js";
import { kinds } from "./kinds.js";
import { Rig, until } from "./rig.js";

const cpus = allowedCpus(readFileSync("/proc/self/status", "latin1"));
const show = "sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status";
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

describe.each(kinds)("%s launcher: a task in a slot that has CPUs of its own", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  it("runs on these only, and one in no slot on all", async () => {
    rig.setSlots(cpus.length, (slot) => ({ cpus: cpus.slice(slot, slot + 1) }));
    const all = execFileSync("sh", ["-c", show]).toString();
    for (let round = 0; round < 2; round++) {
      // All at the same time, so that each slot is used.
      const wait = `echo >>$DIR/begun${round}; until [ -e $DIR/go${round} ]; do sleep 0.02; done`;
      const tags = cpus.map(() => rig.enqueue(`${show}; ${wait}`));
      await until("all have begun", () => rig.lines(`begun${round}`).length === cpus.length);
      expect(text((await rig.run(`${show}; touch $DIR/go${round}`)).out.snippet)).toBe(all);
      for (const [slot, tag] of tags.entries()) {
        const { out } = await rig.ended(tag);
        expect(text(out.snippet)).toBe(kind === "portable perl" ? all : `${cpus[slot]}\n`);
      }
    }
  });

  it("has its command, its variables and its exit status as ever", async () => {
    rig.setSlots(1, () => ({ cpus }));
    const command = 'echo "$0 $OWN $PATH_OF"; tr "\\0" "\\n" </proc/$$/environ >$DIR/environ; exit 7';
    const env = { OWN: "x=1 y", PATH_OF: "\u00e9", HOME: "/elsewhere" };
    const result = await rig.ended(rig.enqueue(command, env));
    expect(result.outcome).toEqual({ kind: "exited", code: 7 });
    expect(Buffer.from(result.out.snippet).toString()).toBe("/bin/bash x=1 y \u00e9\n");
    const variables = rig.lines("environ");
    expect(variables.filter((each) => each.startsWith("HOME="))).toEqual(["HOME=/elsewhere"]);
    expect(variables.filter((each) => each.startsWith("PATH="))).toEqual([`PATH=${process.env["PATH"]}`]);
    expect(variables.filter((each) => each !== "" && !/^[A-Za-z_][^=]*=/.test(each))).toEqual([]);
  });

  it("is stopped as ever", async () => {
    rig.setSlots(1, () => ({ cpus }));
    const tag = rig.enqueue("echo >$DIR/ready; sleep 600");
    await rig.written("ready");
    rig.launcher.stop(tag, 600_000);
    expect(await rig.ended(tag)).toMatchObject({ outcome: { kind: "signalled", signal: 15 }, stopped: true });
  });

  it("runs all the same when it cannot be pinned", async () => {
    rig.setSlots(1, () => ({ cpus: [4000] }));
    expect((await rig.ended(rig.enqueue("exit 3"))).outcome).toEqual({ kind: "exited", code: 3 });
  });
});

describe("cpuMask", () => {
  it("is words of 64 bits in the order of the machine", () => {
    expect([...cpuMask([0, 9], "LE")]).toEqual([1, 2, 0, 0, 0, 0, 0, 0]);
    expect([...cpuMask([0, 9], "BE")]).toEqual([0, 0, 0, 0, 0, 0, 2, 1]);
    expect([...cpuMask([64], "BE")]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(cpuMask([63], "LE")).toHaveLength(8);
    expect(cpuMask([127], "LE")[15]).toBe(128);
  });
});
