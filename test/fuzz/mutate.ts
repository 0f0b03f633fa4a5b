import type { Random } from "./random.js";
import { oddIntegers, oddNumbers, oddTexts } from "./words.js";

/** What mutations take from. */
export interface Material {
  readonly corpus: readonly Buffer[];
  readonly words: readonly Buffer[];
  readonly mostBytes: number;
}

type Mutation = (random: Random, bytes: Buffer, material: Material) => Buffer;

/** One or a few changes, at most `mostBytes` long. */
export function mutate(random: Random, bytes: Buffer, material: Material): Buffer {
  let changed = bytes;
  do changed = random.pick(mutations)(random, changed, material).subarray(0, material.mostBytes);
  while (!random.oneIn(3));
  return changed;
}

/** What every target may get; its own words come on top. */
export const commonWords: readonly Buffer[] = [...oddTexts, ...oddNumbers].map((text) => Buffer.from(text));

const mutations: readonly Mutation[] = [
  function flipBit(random, bytes) {
    return withByte(random, bytes, (byte) => byte ^ (1 << random.int(8)));
  },
  function setByte(random, bytes) {
    return withByte(random, bytes, () => random.int(256));
  },
  function nudgeByte(random, bytes) {
    return withByte(random, bytes, (byte) => byte + random.pick([-1, 1]));
  },
  function insertBytes(random, bytes) {
    const some = Buffer.from(Array.from({ length: 1 + random.int(4) }, () => random.int(256)));
    return replaced(bytes, random.int(bytes.length + 1), 0, some);
  },
  function insertWord(random, bytes, { words }) {
    return replaced(bytes, random.int(bytes.length + 1), 0, random.pick(words));
  },
  function overwriteWord(random, bytes, { words }) {
    const word = random.pick(words);
    return replaced(bytes, random.int(bytes.length + 1), word.length, word);
  },
  function changeNumber(random, bytes) {
    const text = bytes.toString("latin1");
    const all = [...text.matchAll(/\d+/g)];
    if (all.length === 0) return bytes;
    const found = random.pick(all);
    return replaced(bytes, found.index, found[0].length, Buffer.from(random.pick(oddNumbers)));
  },
  function setInteger(random, bytes) {
    const size = random.pick([1, 2, 4, 8]);
    if (bytes.length < size) return bytes;
    const value = Buffer.alloc(8);
    value.writeUInt32BE(random.pick(oddIntegers), 4);
    if (size === 8 && random.oneIn(2)) value.fill(random.pick([0x00, 0x7f, 0x80, 0xff]), 0, 4);
    return replaced(bytes, random.int(bytes.length - size + 1), size, value.subarray(8 - size));
  },
  function cutEnd(random, bytes) {
    return bytes.subarray(0, random.int(bytes.length + 1));
  },
  function remove(random, bytes) {
    const { from, length } = range(random, bytes);
    return replaced(bytes, from, length, nothing);
  },
  function duplicate(random, bytes) {
    const { from, length } = range(random, bytes);
    const part = bytes.subarray(from, from + length);
    return replaced(bytes, random.int(bytes.length + 1), 0, part);
  },
  /** Deep, long, or many of something. */
  function repeat(random, bytes, { words, mostBytes }) {
    const { from, length } = range(random, bytes);
    const part = random.oneIn(3) ? random.pick(words) : bytes.subarray(from, from + length);
    if (part.length === 0) return bytes;
    const times = random.size(Math.ceil(mostBytes / part.length));
    return replaced(bytes, from, 0, Buffer.alloc(Math.min(mostBytes, times * part.length), part));
  },
  function splice(random, bytes, { corpus }) {
    const other = random.pick(corpus);
    return Buffer.concat([
      bytes.subarray(0, random.int(bytes.length + 1)),
      other.subarray(random.int(other.length + 1)),
    ]);
  },
  function takeOver(random, bytes, { corpus }) {
    const other = random.pick(corpus);
    const { from, length } = range(random, other);
    return replaced(bytes, random.int(bytes.length + 1), random.int(8), other.subarray(from, from + length));
  },
];

const nothing = Buffer.alloc(0);

function withByte(random: Random, bytes: Buffer, change: (byte: number) => number): Buffer {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  const at = random.int(copy.length);
  copy[at] = change(copy[at] ?? 0);
  return copy;
}

function replaced(bytes: Buffer, from: number, length: number, by: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(from + length)]);
}

function range(random: Random, bytes: Buffer): { readonly from: number; readonly length: number } {
  const from = random.int(bytes.length);
  return { from, length: Math.min(bytes.length - from, random.size(64)) };
}
