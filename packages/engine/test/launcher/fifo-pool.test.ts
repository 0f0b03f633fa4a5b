import { mkdirSync, mkdtempSync, readSync, readdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FifoPool, closePipe } from "../../src/launcher/fifo-pool.js";
import { LaunchError } from "../../src/launcher/launch-error.js";

describe("pipes that Node can hand on", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "fifo-test-"));
    vi.stubEnv("TMPDIR", directory);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Takes two, and sees that they are two. */
  async function expectTwo(pool: FifoPool): Promise<void> {
    const pipes = await pool.takeTwo();
    for (const [index, { writer }] of pipes.entries()) writeSync(writer, `pipe ${index}`);
    for (const [index, { reader }] of pipes.entries()) {
      const bytes = Buffer.alloc(10);
      expect(bytes.toString("latin1", 0, readSync(reader, bytes))).toBe(`pipe ${index}`);
    }
    pipes.forEach(closePipe);
  }

  it("are there without end, and leave no names behind", async () => {
    const pool = await FifoPool.open(() => undefined);
    for (let count = 0; count < 200; count++) await expectTwo(pool);
    pool.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("are made anew when somebody has removed those that were ready, and where these are is told", async () => {
    const told: string[] = [];
    const pool = await FifoPool.open((where) => told.push(where));
    for (let round = 0; round < 3; round++) {
      await expectTwo(pool);
      const before = pool.directory;
      rmSync(before, { recursive: true });
      for (let count = 0; count < 100; count++) await expectTwo(pool);
      expect(pool.directory).not.toBe(before);
      expect(told.at(-1)).toBe(pool.directory);
    }
    expect(told).toHaveLength(3);
    pool.close();
    expect(readdirSync(directory)).toEqual([]);
  });

  it("are none where no directory can be made, with the reason, and there are some again when one can", async () => {
    const pool = await FifoPool.open(() => undefined);
    rmSync(directory, { recursive: true });
    await expect(pool.takeTwo()).rejects.toMatchObject({ code: "ENOENT" });
    await expect(FifoPool.open(() => undefined)).rejects.toThrow(LaunchError);
    mkdirSync(directory);
    await expectTwo(pool);
    pool.close();
  });
});
