import { describe, expect, it } from "vitest";
import { bugs } from "./bugs/planted.js";
import { seedsOf } from "./faults/families.js";
import { simulate } from "./simulate.js";

/** Of the family in which it shows. */
const within = 200;

describe(`a planted bug is caught within ${within} seeds`, () => {
  it.each(bugs.filter(({ rare }) => rare !== true))(
    "$name: $what",
    async ({ family, make }) => {
      for (const seed of seedsOf(1, within, family)) {
        const { failure } = await simulate(seed, { bug: make() });
        if (failure !== null) return;
      }
      expect.fail(`not caught in ${within} seeds of the family ${family}`);
    },
    300_000,
  );
});
