import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

const interpreter = 3;

/**
 * Names of the programs in a directory that hold a C library which somebody else wrote.
 * @param {string} directory
 * @returns {string[]}
 */
export function staticPrograms(directory) {
  return readdirSync(directory).filter(
    (name) => !/\.(js|ts|txt|json)$/.test(name) && isStatic(readFileSync(path.join(directory, name))),
  );
}

/**
 * Whether it is a program for Linux (64 bits, little-endian) that asks for no dynamic linker.
 * @param {Buffer} program
 */
export function isStatic(program) {
  if (program.length < 64 || program.toString("latin1", 0, 6) !== "\u007fELF\u0002\u0001") return false;
  const from = Number(program.readBigUInt64LE(32));
  const [size, count] = [program.readUInt16LE(54), program.readUInt16LE(56)];
  for (let at = from; at < from + size * count && at + 4 <= program.length; at += Math.max(size, 1))
    if (program.readUInt32LE(at) === interpreter) return false;
  return true;
}
