import { LaunchError } from "../../../packages/engine/src/launcher/launch-error.js";
import { FrameReader } from "../../../packages/engine/src/launcher/perl-frames.js";
import type { Random } from "../random.js";
import { type Target, mustEqual, unlessRefused } from "../target.js";
import { oddIntegers } from "../words.js";

function frame(letter: string, ...parts: readonly Buffer[]): Buffer {
  const contents = Buffer.concat([Buffer.from(letter), ...parts]);
  return Buffer.concat([integer(contents.length), contents]);
}

function integer(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length >> 8, value.length & 0xff]), Buffer.from(value)]);
}

/** Kind of end (0 exited, 1 signalled, 3 exec failed, 4 fork failed), and what it ended with. */
function ended(kind: number, value: number): Buffer {
  const head = [
    integer(7),
    integer(4321),
    Buffer.from([kind, 0]),
    integer(value),
    double(5),
    double(6),
    double(1),
  ];
  return frame("E", ...head, double(2), text("ab"), text("ab"), double(0), text(""), text(""));
}

/** What the launcher sends. */
export const launcherFrames: Target = {
  name: "launcher-frames",
  seeds: () => [
    Buffer.concat([frame("H", Buffer.from([2]), double(12.5)), frame("B", integer(7), integer(4321))]),
    Buffer.concat([ended(0, 3), ended(1, 9)]),
    Buffer.concat([ended(3, 13), ended(4, 11), ended(2, 0)]),
    Buffer.concat([frame("R", integer(1), integer(2)), frame("F")]),
  ],
  words: ["\0\0\0\u0001F", "\0\0\0\u0001R", "\0\0\0\u0001E", "\0\0\0\0", "\0\0\0\u0009B"],
  mostBytes: 16_384,
  reshape: changeContents,
  check: (bytes) => {
    const whole = unlessRefused(LaunchError, () => new FrameReader().read(bytes));
    const cut = unlessRefused(LaunchError, () => {
      const reader = new FrameReader();
      const size = 1 + (bytes.length % 7);
      const all = [];
      for (let at = 0; at < bytes.length; at += size) all.push(...reader.read(bytes.subarray(at, at + size)));
      return all;
    });
    mustEqual(cut, whole, "cut into pieces");
  },
};

/** One frame gets another length, with its length said rightly, or other contents. */
function changeContents(random: Random, bytes: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUInt32BE(at);
    frames.push(bytes.subarray(at + 4, end));
    at = end;
  }
  if (frames.length === 0) return bytes;
  const chosen = random.int(frames.length);
  const contents = Buffer.from(frames[chosen] ?? bytes);
  frames[chosen] = random.oneIn(2) ? contents.subarray(0, random.int(contents.length + 1)) : contents;
  if (contents.length > 4 && random.oneIn(2))
    contents.writeUInt32BE(random.pick(oddIntegers), random.int(contents.length - 3));
  return Buffer.concat(frames.flatMap((each) => [integer(each.length), each]));
}
