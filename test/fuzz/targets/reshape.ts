import { pack, unpack } from "../../../packages/kvs/src/protocol/codec.js";
import type { Random } from "../random.js";
import { oddIntegers, oddNumbers, oddTexts } from "../words.js";

const oddFloats: readonly number[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  0.5,
  1e21,
  1e300,
  -1,
  2 ** 53,
  -(2 ** 63),
  ...oddIntegers,
];

const longTexts: readonly string[] = [...oddTexts, ...oddNumbers, "x".repeat(70_000), "\ud800"];
const oddBytes: readonly Buffer[] = [Buffer.alloc(0), Buffer.from([0xff, 0x0a]), Buffer.alloc(70_000, "x")];

const oddValues: readonly unknown[] = [
  null,
  true,
  false,
  12_345_678_901_234_567_890n,
  [],
  {},
  [[]],
  ...oddFloats,
  ...longTexts,
  ...oddBytes,
];

/** Puts an odd value somewhere into a message; what is no message stays as it is. */
export function reshapeMessage(random: Random, bytes: Buffer): Buffer {
  let value: unknown;
  try {
    value = unpack("input", bytes);
  } catch {
    return bytes;
  }
  try {
    return Buffer.from(pack(changed(random, value, oddAny)));
  } catch {
    return bytes;
  }
}

/** The same for messages that are not msgpack: what is put in is of the kind that was there, as no other can be written. */
export function reshapeWith<Message>(
  decode: (bytes: Uint8Array) => Message,
  encode: (message: Message) => Buffer,
): (random: Random, bytes: Buffer) => Buffer {
  return (random, bytes) => {
    try {
      return Buffer.from(encode(changed(random, decode(bytes), oddAlike) as Message));
    } catch {
      return bytes;
    }
  };
}

type OddLeaf = (random: Random, value: unknown) => unknown;

const oddAny: OddLeaf = (random) => random.pick(oddValues);

const oddAlike: OddLeaf = (random, value) => {
  if (typeof value === "number") return random.pick(oddFloats);
  if (typeof value === "string") return random.pick(longTexts);
  return value instanceof Uint8Array ? random.pick(oddBytes) : value;
};

function changed(random: Random, value: unknown, odd: OddLeaf): unknown {
  if (value instanceof Uint8Array || value === null || typeof value !== "object") return odd(random, value);
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    if (list.length === 0 || (odd === oddAny && random.oneIn(12)))
      return random.pick([[...list, random.pick(oddValues)], list.slice(1)]);
    const at = random.int(list.length);
    return list.with(at, changed(random, list[at], odd));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || (odd === oddAny && random.oneIn(12)))
    return { ...value, [random.pick(oddTexts)]: random.pick(oddValues) };
  const [name, inner] = random.pick(entries);
  if (odd === oddAny && random.oneIn(12))
    return Object.fromEntries(entries.filter(([each]) => each !== name));
  return { ...value, [name]: changed(random, inner, odd) };
}
