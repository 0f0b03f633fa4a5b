import { truncateSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FoundRow } from "../src/core/resume-index.js";
import { type StatusRow, formatRow } from "../src/core/status-line/index.js";
import { RowReader } from "../src/row-reader.js";
import { usePlace } from "./place.js";
import { row } from "./rows.js";

const path = usePlace();
let file: FileHandle;
let reads: number;

beforeEach(() => {
  reads = 0;
});

afterEach(async () => {
  await file.close();
});

/** Writes the rows, and answers where they are, by id. */
async function write(rows: readonly StatusRow[]): Promise<ReadonlyMap<number, FoundRow>> {
  const found = new Map<number, FoundRow>();
  const lines = rows.map(formatRow);
  let offset = 0;
  for (const [index, line] of lines.entries()) {
    const id = rows[index]?.id ?? 0;
    found.set(id, { id, file: 0, offset, length: line.length - 1, returnCode: 0, identity: 0 });
    offset += line.length;
  }
  writeFileSync(path("s"), Buffer.concat(lines));
  file = await open(path("s"), "r");
  return found;
}

/** Counts what it reads of the file. */
function counted(): RowReader {
  const read: FileHandle["read"] = (...args: Parameters<FileHandle["read"]>) => {
    reads++;
    return file.read(...args);
  };
  return new RowReader(Object.assign(Object.create(file) as FileHandle, { read }));
}

async function textOf(reader: RowReader, found: FoundRow | undefined): Promise<string | null> {
  if (found === undefined) throw new Error("no such row");
  if (!reader.find(found) && !(await reader.read(found))) return null;
  return reader.bytes.toString("utf8", reader.from, reader.from + found.length);
}

/** What one gets by sorting with keys that are off by up to `by`. */
function disordered(count: number, by: number): number[] {
  let seed = 1;
  const random = (): number => {
    seed = (seed * 48_271) % 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const keys = Array.from({ length: count }, (_, id) => ({ id, key: id + by * random() }));
  return keys.toSorted((a, b) => a.key - b.key).map(({ id }) => id);
}

describe("RowReader", () => {
  it("finds each row as it was written, and reads the file about once though tasks ended in another order", async () => {
    const count = 30_000;
    const found = await write(disordered(count, 5_000).map((id) => row(id)));
    const reader = counted();
    for (let id = 0; id < count; id++)
      expect(await textOf(reader, found.get(id))).toBe(formatRow(row(id)).toString().slice(0, -1));
    const bytes = (await file.stat()).size;
    // A block each, and each row that lies across two.
    expect(reads).toBeLessThan(3 * Math.ceil(bytes / (256 * 1024)));
  });

  it("reads again what it has let go, and rows that are larger than a block", async () => {
    const large = (id: number): StatusRow => row(id, { command: Buffer.alloc(300_000, 0x61 + id) });
    const found = await write(Array.from({ length: 24 }, (_, id) => large(id)));
    const reader = counted();
    for (const id of [0, 23, 12, 0, 23, 1, 0])
      expect(await textOf(reader, found.get(id))).toBe(formatRow(large(id)).toString().slice(0, -1));
  });

  it("gives no row where another one stands by now, or none", async () => {
    const found = await write([row(0), row(1), row(2)]);
    const first = found.get(0);
    if (first === undefined) throw new Error("no row");
    expect(await textOf(counted(), { ...first, id: 1 })).toBeNull();
    expect(await textOf(counted(), { ...first, offset: first.offset + 1 })).toBeNull();
    expect(await textOf(counted(), { ...first, length: first.length - 1 })).toBeNull();
    truncateSync(path("s"), first.length);
    expect(await textOf(counted(), first)).toBeNull();
    expect(await textOf(counted(), found.get(2))).toBeNull();
  });
});
