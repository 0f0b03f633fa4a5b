import { readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";

/** The bundler inlines these as text; so do the tests, from the sources, so that no stale build is ever tested. */
const textModules = {
  name: "text-modules",
  enforce: "pre" as const,
  load(id: string) {
    if (!/\.(lua|pl|sh)$/.test(id)) return null;
    return `export default ${JSON.stringify(readFileSync(id, "utf8"))};`;
  },
};

export default defineConfig({
  plugins: [textModules],
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "packages/*/test/**/*.test.ts",
            "test/{conformance,scenarios,simulation,docs,fuzz,bench,chaos}/**/*.test.ts",
            "scripts/checks/test/*.test.mjs",
          ],
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/e2e/build.ts"],
          maxWorkers: 3,
          // After the others: vitest demands an order between projects whose number of workers differs.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          globalSetup: ["test/e2e/build.ts"],
          testTimeout: 120_000,
          // Each file has a cluster of its own, and mostly waits for it.
          maxWorkers: 3,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
