import { endianness } from "node:os";

const wordBytes = 8;

/** A set of CPUs as sched_setaffinity takes it: words of 64 bits, each in the machine's order of bytes. */
export function cpuMask(cpus: readonly number[], order: "LE" | "BE" = endianness()): Buffer {
  const words = Math.floor(Math.max(0, ...cpus) / (8 * wordBytes)) + 1;
  const mask = Buffer.alloc(words * wordBytes);
  for (const cpu of cpus) {
    const byte = Math.floor(cpu / 8);
    const at = order === "LE" ? byte : byte - (byte % wordBytes) + wordBytes - 1 - (byte % wordBytes);
    mask[at] = (mask[at] ?? 0) | (1 << (cpu % 8));
  }
  return mask;
}
