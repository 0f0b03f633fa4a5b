import { writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import { LineBlocks } from "../src/line-blocks.js";
import { usePlace } from "./place.js";

const path = usePlace();
let file: FileHandle | null = null;

afterEach(async () => {
  await file?.close();
  file = null;
});

async function opened(text: Uint8Array): Promise<LineBlocks> {
  writeFileSync(path("lines"), text);
  file = await open(path("lines"), "r");
  return new LineBlocks(file);
}

/** Lines of these lengths, newline included, each of its own letter; the last one without an end. */
function linesOf(lengths: readonly number[]): Buffer {
  const lines = lengths.map(
    (length, index) => `${String.fromCharCode(97 + (index % 26)).repeat(length - 1)}\n`,
  );
  return Buffer.from(`${lines.join("")}torn`);
}

describe("LineBlocks", () => {
  it.each([
    ["short ones", Array.from({ length: 60_000 }, (_, index) => 1 + (index % 97))],
    ["as long as a block", [1_048_576, 10, 1_048_576, 1_048_575, 2, 3]],
    ["longer than a block", [5, 3_000_000, 7, 2_500_000, 9]],
    ["longer than what is kept of one", Array.from({ length: 30 }, (_, index) => 60_000 + 1000 * index)],
    ["none", []],
  ])("gives all bytes in order, whole lines at a time, of lines that are %s", async (_, lengths) => {
    const text = linesOf(lengths);
    const blocks = await opened(text);
    const parts: Buffer[] = [];
    let at = 0;
    for (let block = await blocks.next(); block !== null; block = await blocks.next()) {
      expect(block.offset).toBe(at);
      at += block.end;
      parts.push(Buffer.from(block.bytes.subarray(0, block.end)));
      if (block.end > 0) expect(block.bytes[block.end - 1]).toBe(10);
      expect(blocks.rest.includes(10)).toBe(false);
    }
    expect(Buffer.concat([...parts, blocks.rest]).equals(text)).toBe(true);
    expect(blocks.rest.toString()).toBe("torn");
  });

  it("forgets what is there of a line when told so, and tells places all the same", async () => {
    const blocks = await opened(Buffer.concat([Buffer.alloc(2_000_000, "x"), Buffer.from("\nabc\n")]));
    expect((await blocks.next())?.end).toBe(0);
    blocks.forgetRest();
    const block = await blocks.next();
    expect([block?.offset, block?.end]).toEqual([1_048_576, 2_000_005 - 1_048_576]);
    expect(block?.bytes.subarray(-5).toString()).toBe("\nabc\n");
    expect(await blocks.next()).toBeNull();
  });

  it("rejects when the file cannot be read", async () => {
    const directory = await open(path("."), "r");
    file = directory;
    await expect(new LineBlocks(directory).next()).rejects.toThrow("EISDIR");
  });
});
