import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { allowedCpus } from "../../src/core/cpu-list.js";
import { cpuMask } from "../../src/launcher/cpu-mask.js";
import { Rig, kinds } from "./rig.js";

const cpus = allowedCpus(readFileSync("/proc/self/status", "latin1"));
const show = "sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status";
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

describe.each(kinds)("%s launcher: a task with CPUs of its own", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  it("runs on these only, and the next one without on all", async () => {
    for (const cpu of cpus) {
      const pinned = await rig.ended(rig.launch(show, {}, [cpu]));
      const expected = kind === "portable perl" ? execFileSync("sh", ["-c", show]).toString() : `${cpu}\n`;
      expect(text(pinned.out.snippet)).toBe(expected);
      expect(text((await rig.run(show)).out.snippet)).toBe(execFileSync("sh", ["-c", show]).toString());
    }
  });

  it("has its command, its variables and its exit status as ever", async () => {
    const command = 'echo "$0 $OWN $PATH_OF"; tr "\\0" "\\n" </proc/$$/environ >$DIR/environ; exit 7';
    const env = { OWN: "x=1 y", PATH_OF: "\u00e9", HOME: "/elsewhere" };
    const tag = rig.launch(command, env, cpus);
    const result = await rig.ended(tag);
    expect(result.outcome).toEqual({ kind: "exited", code: 7 });
    expect(Buffer.from(result.out.snippet).toString()).toBe("/bin/bash x=1 y \u00e9\n");
    const variables = rig.read("environ").toString().split("\n");
    expect(variables.filter((each) => each.startsWith("HOME="))).toEqual(["HOME=/elsewhere"]);
    expect(variables.filter((each) => each.startsWith("PATH="))).toEqual([`PATH=${process.env["PATH"]}`]);
    expect(variables.filter((each) => each !== "" && !/^[A-Za-z_][^=]*=/.test(each))).toEqual([]);
  });

  it("is stopped as ever", async () => {
    const tag = rig.launch("echo >$DIR/ready; sleep 600", {}, cpus);
    await rig.written("ready");
    rig.launcher.stop(tag, 600_000);
    expect(await rig.ended(tag)).toMatchObject({ outcome: { kind: "signalled", signal: 15 }, stopped: true });
  });

  it("runs all the same when it cannot be pinned", async () => {
    const tag = rig.launch("exit 3", {}, [4000]);
    expect((await rig.ended(tag)).outcome).toEqual({ kind: "exited", code: 3 });
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
