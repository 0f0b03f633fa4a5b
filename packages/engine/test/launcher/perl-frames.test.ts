import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMask } from "../../src/launcher/cpu-mask.js";
import { LaunchError } from "../../src/launcher/launch-error.js";
import {
  FrameReader,
  launchFrame,
  recallFrame,
  slotsFrame,
  stopFrame,
} from "../../src/launcher/perl-frames.js";

function frame(letter: string, contents: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + contents.length);
  head.write(letter, 4);
  return Buffer.concat([head, contents]);
}

function started(tag: number, pid: number): Buffer {
  const contents = Buffer.alloc(8);
  contents.writeUInt32BE(tag);
  contents.writeUInt32BE(pid, 4);
  return frame("B", contents);
}

describe("frames from the perl launcher", () => {
  it("are the same however the pipe cuts them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(0xffffffff), fc.nat(0xffffffff)), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
        (pairs, cuts) => {
          const bytes = Buffer.concat(pairs.map(([tag, pid]) => started(tag, pid)));
          const reader = new FrameReader();
          const seen = [];
          for (let at = 0, turn = 0; at < bytes.length; turn++) {
            const cut = cuts[turn % cuts.length] ?? 1;
            seen.push(...reader.read(bytes.subarray(at, at + cut)));
            at += cut;
          }
          expect(seen).toEqual(pairs.map(([tag, pid]) => ({ kind: "started", tag, pid })));
        },
      ),
    );
  });

  it("name all tags that were recalled", () => {
    const contents = Buffer.from([0, 0, 0, 7, 0xff, 0xff, 0xff, 0xff]);
    expect([...new FrameReader().read(frame("R", contents))]).toEqual([
      { kind: "recalled", tags: [7, 0xffffffff] },
    ]);
  });

  it("of an unknown kind are an error", () => {
    expect(() => new FrameReader().read(frame("?", Buffer.alloc(0)))).toThrow(LaunchError);
  });
});

describe("frames to the perl launcher", () => {
  it("carry names and values with their lengths in bytes, and the command's bytes as they are", () => {
    const command = Buffer.from([0xff, 0x0a, 0xfe]);
    const request = { tag: 7, command, env: { A: "é", B: "" } };
    const entries = ["A=é", "B="].map((entry) => {
      const text = Buffer.from(entry);
      return Buffer.concat([Buffer.from([0, 0, 0, text.length]), text]);
    });
    const environment = Buffer.concat(entries);
    const head = Buffer.from([0, 0, 0, 7, 0, 0, 0, 0, environment.length]);
    const contents = Buffer.concat([head, environment, command]);
    expect(launchFrame("now", request, new Set())).toEqual(frame("L", contents));
    expect(launchFrame("inSlot", request, new Set())).toEqual(frame("Q", contents));
  });

  it("say whether a variable of the launcher's own is replaced", () => {
    const own = new Set(["PATH"]);
    const flag = (env: Record<string, string>): number | undefined =>
      launchFrame("now", { tag: 0, command: Buffer.alloc(0), env }, own)[9];
    expect([flag({}), flag({ A: "1" }), flag({ A: "1", PATH: "/bin" })]).toEqual([0, 0, 1]);
  });

  it("give each slot its flags, its mask of CPUs and its variables", () => {
    const counted = (...parts: readonly Uint8Array[]): Buffer => {
      const bytes = Buffer.concat(parts);
      return Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
    };
    const slots = [
      { env: { A: "é", B: "" }, cpus: undefined },
      { env: { PATH: "/bin" }, cpus: [3] },
      { env: {}, cpus: [0] },
    ];
    const nothing = counted();
    expect(slotsFrame(slots, new Set(["PATH"]))).toEqual(
      frame(
        "P",
        Buffer.concat([
          Buffer.from([0]),
          nothing,
          counted(counted(Buffer.from("A=é")), counted(Buffer.from("B="))),
          Buffer.from([3]),
          counted(counted(cpuMask([3]))),
          counted(counted(Buffer.from("PATH=/bin"))),
          Buffer.from([2]),
          counted(counted(cpuMask([0]))),
          nothing,
        ]),
      ),
    );
  });

  it("a recall is its letter alone", () => {
    expect(recallFrame()).toEqual(frame("R", Buffer.alloc(0)));
  });

  it("cut a grace to what 32 bits hold, and never below nothing", () => {
    const graceOf = (graceMs: number): number => stopFrame(1, graceMs).readUInt32BE(9);
    expect([graceOf(0.2), graceOf(-5), graceOf(1e12)]).toEqual([1, 0, 0xffffffff]);
  });
});
