import { open, writeFile } from "node:fs/promises";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLines } from "../../src/audit/lines.js";
import { usePlace } from "../place.js";

const path = usePlace();

async function linesOf(
  content: Buffer,
): Promise<{ lines: string[]; long: number[]; torn: string[]; bytes: number }> {
  await writeFile(path("f"), content);
  const file = await open(path("f"), "r");
  const [lines, long, torn]: [string[], number[], string[]] = [[], [], []];
  const bytes = await readLines(file, {
    onLine: (line, at) => lines.push(`${at}:${line.toString("latin1")}`),
    onLongLine: (at) => long.push(at),
    onTorn: (line, at) => torn.push(`${at}:${line.toString("latin1")}`),
  });
  await file.close();
  return { lines, long, torn, bytes };
}

describe("readLines", () => {
  it("gives every line, however it lies in what is read at once, and what is torn", async () => {
    // What is read at once is 256 KiB.
    const anyLength = fc.oneof(
      fc.nat({ max: 100 }),
      fc.integer({ min: 262_100, max: 262_200 }),
      fc.constant(600_000),
    );
    const anyContent = fc.tuple(fc.array(anyLength, { maxLength: 6 }), fc.nat({ max: 300_000 }));
    await fc.assert(
      fc.asyncProperty(anyContent, async ([lengths, rest]) => {
        const lines = lengths.map((length, index) => String(index % 10).repeat(length));
        const torn = "x".repeat(rest);
        const content = Buffer.from(lines.map((line) => `${line}\n`).join("") + torn);
        expect(await linesOf(content)).toEqual({
          lines: lines.map((line, index) => `${index + 1}:${line}`),
          long: [],
          torn: rest === 0 ? [] : [`${lines.length + 1}:${torn}`],
          bytes: content.length,
        });
      }),
      { numRuns: 30 },
    );
  });

  it("passes over a line that is too long to be one, and counts it", async () => {
    const long = Buffer.alloc(17 * 1024 * 1024, "x");
    const newline = Buffer.from("\n");
    const found = await linesOf(Buffer.concat([Buffer.from("a\n"), long, newline, Buffer.from("b\n"), long]));
    const { lines, ...others } = found;
    // Not shown in full, should it fail.
    expect(lines.map((line) => line.slice(0, 10))).toEqual(["1:a", "3:b"]);
    expect(others).toEqual({ long: [2, 4], torn: [], bytes: 2 * long.length + 5 });
  });
});
