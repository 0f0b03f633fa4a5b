import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { RunEnd } from "./model/model.js";

/** More than the last entry takes. */
const tailBytes = 4_096;

/** What a run's ledger says of its end; null: nothing. */
export async function readRunEnd(prefix: string): Promise<RunEnd | null> {
  // Whatever has this name: nobody waits for the other end of a pipe.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK;
  const file = await open(`${prefix}_ledger`, flags).catch(() => null);
  if (file === null) return null;
  try {
    const stat = await file.stat();
    if (!stat.isFile()) return null;
    const { size } = stat;
    const tail = Buffer.alloc(Math.min(size, tailBytes));
    await file.read(tail, 0, tail.length, size - tail.length);
    return endOf(tail.toString().trimEnd().split("\n").at(-1) ?? "");
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

/** Throws on what is not JSON. */
function endOf(line: string): RunEnd | null {
  const entry: unknown = JSON.parse(line);
  if (typeof entry !== "object" || entry === null || !("kind" in entry) || entry.kind !== "end") return null;
  return {
    reason: "reason" in entry && typeof entry.reason === "string" ? entry.reason : "",
    done: "done" in entry && isCount(entry.done) ? entry.done : null,
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
