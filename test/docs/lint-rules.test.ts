import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Each file is planted in a copy of the tree; the linter must say exactly this about it. */
interface Planted {
  readonly breaks: string;
  readonly file: string;
  readonly source: string;
  readonly codes: readonly string[];
  /** Part of what tells a person why. */
  readonly reason?: string;
}

const boundaries = "taskmuster(package-boundaries)";
const pure = "taskmuster(pure-core)";
const globals = "eslint(no-restricted-globals)";
const properties = "eslint(no-restricted-properties)";

const planted: readonly Planted[] = [
  {
    breaks: "kvs imports another package",
    file: "packages/kvs/src/a.ts",
    source: `export { x } from "@taskmuster/driver";`,
    codes: [boundaries],
    reason: "kvs imports no other package of ours",
  },
  {
    breaks: "the driver imports the engine",
    file: "packages/driver/src/a.ts",
    source: `export { x } from "@taskmuster/engine";`,
    codes: [boundaries],
    reason: "share nothing but kvs/protocol",
  },
  {
    breaks: "the engine imports a type of the driver",
    file: "packages/engine/src/a.ts",
    source: `export type Y = import("@taskmuster/driver").X;`,
    codes: [boundaries],
  },
  {
    breaks: "the engine loads the command line later",
    file: "packages/engine/src/b.ts",
    source: `export const later = (): Promise<unknown> => import("@taskmuster/cli");`,
    codes: [boundaries],
  },
  {
    breaks: "a package climbs into another one",
    file: "packages/driver/src/deep/a.ts",
    source: `export * from "../../../engine/src/x.js";`,
    codes: [boundaries],
    reason: "by its name",
  },
  {
    breaks: "a package imports itself by name",
    file: "packages/driver/src/b.ts",
    source: `export * from "@taskmuster/driver";`,
    codes: [boundaries],
  },
  {
    breaks: "a core imports a module of Node",
    file: "packages/driver/src/core/a.ts",
    source: `export { readFileSync } from "node:fs";`,
    codes: [pure],
    reason: "in virtual time",
  },
  {
    breaks: "a core imports an npm package",
    file: "packages/driver/src/core/deep/a.ts",
    source: `import { pino } from "pino";\nexport const log = pino;`,
    codes: [pure],
  },
  {
    breaks: "a core imports kvs beyond the protocol",
    file: "packages/engine/src/core/a.ts",
    source: `import type { KvsStore } from "@taskmuster/kvs";\nexport type Store = KvsStore;`,
    codes: [pure],
  },
  {
    breaks: "a core climbs out of itself",
    file: "packages/driver/src/core/b.ts",
    source: `export * from "../shell.js";`,
    codes: [pure],
  },
  {
    breaks: "a core climbs out of itself from a folder in it",
    file: "packages/driver/src/core/deep/b.ts",
    source: `export * from "../../shell.js";`,
    codes: [pure],
  },
  {
    breaks: "a core imports a sibling folder's core",
    file: "packages/driver/src/core/c.ts",
    source: `export * from "../other/core/x.js";`,
    codes: [pure],
  },
  {
    breaks: "a core sets timers, looks at the clock and throws dice",
    file: "packages/engine/src/core/deep/timers.ts",
    source: `export function f(): number {
  setTimeout(f, 1);
  setInterval(f, 1);
  return Date.now() + performance.now() + Math.random() + new Date().getTime();
}`,
    codes: [globals, globals, properties, globals, properties, pure],
    reason: "nowMs",
  },
  {
    breaks: "a core reads the process",
    file: "packages/engine/src/core/env.ts",
    source: `export const home = process.env["HOME"];`,
    codes: [globals],
    reason: "as an argument",
  },
  {
    breaks: "a file that is no main file ends the process",
    file: "packages/cli/src/run.ts",
    source: `export function stop(): void {\n  process.exit(1);\n}`,
    codes: [properties],
    reason: "only a main file",
  },
  {
    breaks: "a promise floats",
    file: "packages/kvs/src/float.ts",
    source: `export function f(p: Promise<void>): void {\n  p.then(String);\n}`,
    codes: ["typescript(no-floating-promises)"],
  },
  {
    breaks: "a promise is misused as a condition and as a callback's answer",
    file: "packages/kvs/src/misuse.ts",
    source: `export function f(p: Promise<boolean>, list: string[]): void {
  if (p) list.pop();
  list.forEach(async () => {
    await p;
  });
}`,
    codes: ["typescript(no-misused-promises)", "typescript(no-misused-promises)"],
  },
  {
    breaks: "a switch forgets a kind, even behind a default",
    file: "packages/kvs/src/switch.ts",
    source: `export function f(kind: "a" | "b"): number {
  switch (kind) {
    case "a":
      return 1;
    default:
      return 2;
  }
}`,
    codes: ["typescript(switch-exhaustiveness-check)"],
  },
  {
    breaks: "any, and what comes of it",
    file: "packages/kvs/src/any.ts",
    source: `export function f(x: any): string {
  const y = x.name;
  y();
  return y;
}`,
    codes: [
      "typescript(explicit-module-boundary-types)",
      "typescript(no-explicit-any)",
      "typescript(no-unsafe-assignment)",
      "typescript(no-unsafe-call)",
      "typescript(no-unsafe-member-access)",
      "typescript(no-unsafe-return)",
    ],
  },
  {
    breaks: "a type is asserted instead of checked, and null denied",
    file: "packages/kvs/src/assert.ts",
    source: `export const f = (x: unknown): string => x as string;\nexport const g = (x: string | null): string => x!;`,
    codes: ["typescript(no-non-null-assertion)", "typescript(no-unsafe-type-assertion)"],
  },
  {
    breaks: "a type is imported as a value",
    file: "packages/kvs/src/types.ts",
    source: `import { Stats } from "node:fs";\nexport const size = (s: Stats): number => s.size;`,
    codes: ["typescript(consistent-type-imports)"],
  },
  {
    breaks: "a test runs alone",
    file: "packages/kvs/test/only.test.ts",
    source: `import { expect, it } from "vitest";\nit.only("x", () => {\n  expect(1).toBe(1);\n});`,
    codes: ["vitest(no-focused-tests)"],
  },
];

const allowed: readonly Pick<Planted, "file" | "source">[] = [
  {
    file: "packages/driver/src/ok.ts",
    source: `export * from "@taskmuster/kvs";\nexport * from "./core/x.js";`,
  },
  {
    file: "packages/cli/src/ok.ts",
    source: `export * from "@taskmuster/driver";\nexport * from "@taskmuster/engine";`,
  },
  {
    file: "packages/driver/src/core/ok.ts",
    source: `export * from "@taskmuster/kvs/protocol";\nexport * from "./deep/x.js";`,
  },
  {
    file: "packages/driver/src/core/deep/ok.ts",
    source: `export * from "../x.js";\nexport const f = (ms: number): string => new Date(ms).toISOString();`,
  },
  { file: "packages/cli/src/main-x.ts", source: `process.exit(0);` },
  { file: "packages/engine/src/x-main.ts", source: `process.exit(0);` },
];

let tree = "";
let found: Map<string, Finding[]>;

beforeAll(async () => {
  tree = await mkdtemp(path.join(tmpdir(), "taskmuster-lint-"));
  for (const name of [".oxlintrc.json", "tsconfig.base.json", "scripts/lint"]) {
    await cp(path.join(root, name), path.join(tree, name), { recursive: true });
  }
  await symlink(path.join(root, "node_modules"), path.join(tree, "node_modules"));
  const tsconfig = {
    extends: "./tsconfig.base.json",
    compilerOptions: { composite: false },
    include: ["packages"],
  };
  await writeFile(path.join(tree, "tsconfig.json"), JSON.stringify(tsconfig));
  for (const { file, source } of [...planted, ...allowed]) {
    const target = path.join(tree, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, `${source}\n`);
  }
  found = await lint(tree);
});

afterAll(() => rm(tree, { recursive: true, force: true }));

describe("the lint rules fire when", () => {
  it.each(planted)("$breaks", ({ file, codes, reason = "" }) => {
    const said = found.get(file) ?? [];
    expect(said.map(({ code }) => code).toSorted()).toEqual(codes.toSorted());
    expect(said.map(({ text }) => text).join("\n")).toContain(reason);
  });
});

describe("the lint rules say nothing about", () => {
  it.each(allowed)("$file", ({ file }) => {
    expect(found.get(file)).toBeUndefined();
  });
});

interface Finding {
  readonly code: string;
  readonly text: string;
}

interface LintReport {
  readonly diagnostics: readonly {
    readonly code?: string;
    readonly message: string;
    readonly help?: string;
    readonly filename: string;
  }[];
}

async function lint(directory: string): Promise<Map<string, Finding[]>> {
  const oxlint = path.join(root, "node_modules", "oxlint", "bin", "oxlint");
  const { stdout } = await promisify(execFile)(process.execPath, [oxlint, "-f", "json", "packages"], {
    cwd: directory,
    maxBuffer: 16 << 20,
  }).catch((error: unknown) => {
    // Findings make it exit with 1; the report is on stdout all the same.
    if (error instanceof Error && "stdout" in error && "code" in error && error.code === 1)
      return { stdout: error.stdout };
    throw error;
  });
  const report = JSON.parse(String(stdout)) as LintReport;
  const byFile = new Map<string, Finding[]>();
  for (const { filename, code = "", message, help = "" } of report.diagnostics) {
    byFile.set(filename, [...(byFile.get(filename) ?? []), { code, text: `${message} ${help}` }]);
  }
  return byFile;
}
