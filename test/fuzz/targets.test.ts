import { describe, expect, it } from "vitest";
import { whyKnown } from "./found/known.js";
import { Fuzzer } from "./fuzzer.js";
import { targets } from "./targets/index.js";

const mutants = 600;

describe("whatever it reads, it answers as it says", () => {
  it.each(targets.map((target) => [target.name, target] as const))("%s", async (name, target) => {
    const failures: string[] = [];
    const fuzzer = new Fuzzer({
      target,
      seed: "test suite",
      coverage: null,
      onFailure: (input, { message, signature }) => {
        if (whyKnown({ target: name, signature }) !== null) return;
        failures.push(
          `${message} <= ${input.length} bytes in base64: ${input.toString("base64").slice(0, 2_000)}`,
        );
      },
    });
    await fuzzer.trySeeds();
    await fuzzer.tryMutants(Math.ceil(mutants * (target.share ?? 1)));
    expect(failures.slice(0, 3)).toEqual([]);
  });
});
