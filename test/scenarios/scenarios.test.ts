import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type Block, commandsOf, formatTraceFile, parseTraceFile } from "./trace-file.js";
import { World } from "./world.js";

const directory = new URL("traces/", import.meta.url);
const names = readdirSync(fileURLToPath(directory)).filter((name) => name.endsWith(".trace"));

/** The same scenario with what happens now. */
async function played(blocks: readonly Block[]): Promise<readonly Block[]> {
  const world = new World();
  const now: Block[] = [];
  for (const block of blocks) {
    if (block.happened === null) {
      now.push(block);
      continue;
    }
    const happened: string[] = [];
    for (const command of commandsOf(block)) happened.push(...(await world.do(command)));
    now.push({ head: block.head, happened });
  }
  return now;
}

describe("scenarios (UPDATE_TRACES=1 writes down what happens now)", () => {
  it("are there", () => {
    expect(names.length).toBeGreaterThanOrEqual(10);
  });

  it.each(names)("%s", async (name) => {
    const path = new URL(name, directory);
    const text = readFileSync(path, "utf8");
    const now = formatTraceFile(await played(parseTraceFile(text)));
    if (process.env["UPDATE_TRACES"] === "1") writeFileSync(path, now);
    else expect(now).toBe(text);
  });
});
