import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { reasonOf } from "../status-file.js";
import { usage } from "./remains.js";

/**
 * So many bytes of a spool are whole lines: half of one would be another command. Throws a usage error when it cannot be read.
 */
export function wholeLines(path: string): number {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    throw usage(`cannot read ${path}, where the list was kept as it came: ${reasonOf(cause)}`);
  }
  try {
    const chunk = Buffer.alloc(64 * 1024);
    for (let end = fstatSync(file).size; end > 0;) {
      const from = Math.max(0, end - chunk.length);
      const read = readSync(file, chunk, 0, end - from, from);
      const last = chunk.subarray(0, read).lastIndexOf(newline);
      if (last !== -1) return from + last + 1;
      end = from;
    }
    return 0;
  } finally {
    closeSync(file);
  }
}

const newline = 10;
