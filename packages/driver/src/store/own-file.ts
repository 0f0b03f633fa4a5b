import { type BigIntStats, statSync } from "node:fs";
import { FencedError } from "@taskmuster/kvs";

/**
 * A driver that takes a run over puts a status file of its own under the name of the old one. Answers what throws `FencedError` when that has
 * happened since. A file that is not there, or cannot be looked at, says nothing.
 */
export function ownFile(path: string): () => void {
  const own = identityOf(path);
  return () => {
    const now = identityOf(path);
    if (own !== null && now !== null && now !== own) throw new FencedError();
  };
}

function identityOf(path: string): string | null {
  try {
    const { dev, ino }: BigIntStats = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return null;
  }
}
