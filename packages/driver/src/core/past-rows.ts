import { type StatusRow, formatSeconds } from "./status-line/index.js";

/**
 * Rows that stand in the file already although their reports may come once more: their driver died between the disk and the
 * acknowledgement. Only of those that the bit of their task does not tell.
 */
export class PastRows {
  readonly #keys = new Set<string>();

  add(row: StatusRow): void {
    this.#keys.add(keyOf(row));
  }

  has(row: StatusRow): boolean {
    return this.#keys.size > 0 && this.#keys.has(keyOf(row));
  }
}

/** No two processes of a host have the same number and began in the same millisecond. */
function keyOf({ id, node, pid, start }: StatusRow): string {
  return `${id} ${pid} ${formatSeconds(start)} ${node}`;
}
