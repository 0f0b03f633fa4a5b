import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attempt } from "./attempt.js";
import { Fuzzer } from "./fuzzer.js";
import { optionsOf } from "./options.js";
import { plantedHunger, plantedThrow } from "./planted.js";
import { Random } from "./random.js";
import { shrink } from "./shrink.js";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "taskmuster-fuzz-"));
});

afterAll(() => rm(directory, { recursive: true, force: true }));

/** `npm run fuzz`, and how it ended. */
async function fuzz(...args: readonly string[]): Promise<{ readonly code: unknown; readonly said: string }> {
  const all = ["scripts/run-ts.mjs", "test/fuzz/main.ts", "--directory", directory, ...args];
  return promisify(execFile)(process.execPath, all, { cwd: root }).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (error: unknown) => {
      if (error instanceof Error && "code" in error && "stdout" in error)
        return { code: error.code, said: String(error.stdout) };
      throw error;
    },
  );
}

describe("npm run fuzz", () => {
  it("finds planted faults: what throws behind conditions, hangs, or wants too much memory; and what it found fails again", async () => {
    const planted = ["planted-throw", "planted-hang", "planted-hunger"];
    const names = planted.flatMap((name) => ["--target", name]);
    const { code, said } = await fuzz(...names, "--seconds", "180", "--hang", "2", "--first", "--seed", "1");
    expect(said).toContain("planted-throw: FAILURE: Violation: all three are there");
    expect(said).toContain("planted-hang: FAILURE: hangs");
    expect(said).toContain("planted-hunger: FAILURE: Violation: memory out of proportion");
    expect(code).toBe(1);
    const kept = (await readdir(directory)).find((file) => file.startsWith("planted-throw"));
    const again = await fuzz("--target", "planted-throw", "--replay", path.join(directory, kept ?? ""));
    expect(again).toMatchObject({ code: 1, said: expect.stringContaining("all three are there") });
  });
});

describe("the fuzzer", () => {
  const inputsOf = async (seed: string): Promise<readonly string[]> => {
    const inputs: string[] = [];
    const fuzzer = new Fuzzer({
      target: plantedThrow,
      seed,
      coverage: null,
      onTry: (input) => inputs.push(input.toString("base64")),
      onFailure: () => undefined,
    });
    await fuzzer.tryMutants(200);
    return inputs;
  };

  it("makes the same inputs of the same seed, and others of another", async () => {
    const inputs = await inputsOf("1");
    expect(inputs).toEqual(await inputsOf("1"));
    expect(inputs).not.toEqual(await inputsOf("2"));
  });

  it("takes what leads to less and less out of a failing input", async () => {
    const input = Buffer.from("a long story %ff about __proto__ and some $(id) at its end");
    const failure = await attempt(plantedThrow, input);
    const shrunk = failure === null ? null : await shrink(plantedThrow, input, failure, () => undefined);
    expect(shrunk?.input.toString()).toBe("%ff__proto__$(id)");
  });

  it("tells of memory out of proportion", async () => {
    expect(await attempt(plantedHunger, Buffer.from("width 10"))).toBeNull();
    expect(await attempt(plantedHunger, Buffer.from("width 9999999"))).toMatchObject({
      signature: "Violation: memory out of proportion",
    });
  });
});

describe("random numbers", () => {
  it("stay in their range, and reach all of it", () => {
    const random = new Random("any");
    const seen = new Set(Array.from({ length: 2_000 }, () => random.int(10)));
    expect([...seen].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe("options", () => {
  const defaults = { seed: "random", directory: "here" };

  it("have defaults", () => {
    expect(optionsOf([], defaults)).toMatchObject({
      seconds: 60,
      seed: "random",
      only: [],
      directory: "here",
    });
  });

  it.each(["--seconds=0", "--seconds=x", "--nonsense", "stray"])("refuse what is none: %s", (arg) => {
    expect(() => optionsOf([arg], defaults)).toThrow(arg.replace(/=.*/, ""));
  });
});
