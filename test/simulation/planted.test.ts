import { describe, expect, it } from "vitest";
import { bugs } from "./bugs/planted.js";
import { simulate } from "./simulate.js";

/** Those that are caught least are caught by one of a hundred. */
const within = 1000;

describe(`a planted bug is caught within ${within} seeds`, () => {
  it.each(bugs.filter(({ rare }) => rare !== true))(
    "$name: $what",
    async ({ make }) => {
      let failure: string | null = null;
      for (let seed = 1; seed <= within && failure === null; seed++)
        failure = (await simulate(seed, { bug: make() })).failure;
      expect(failure).not.toBeNull();
    },
    300_000,
  );
});
