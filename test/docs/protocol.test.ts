import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runKeyNames } from "../../packages/kvs/src/keys.js";

const root = new URL("../../", import.meta.url);
// Blanks that only line columns up do not count.
const page = readFileSync(new URL("docs/protocol.md", root), "utf8").replace(/ +/g, " ");

function source(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

describe("docs/protocol.md", () => {
  it("lists every key, with every field of the hashes", () => {
    for (const [name, what] of Object.entries(runKeyNames)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
      expect(row, name).toBeDefined();
      if (name !== "meta" && name !== "engine:<engine>") continue;
      for (const field of what
        .slice("hash: ".length)
        .replace(/\(.*?\)/g, "")
        .split(", ")) {
        if (/^[a-zA-Z]+ *$/.test(field)) expect(row, `${name}: ${field}`).toContain(`\`${field.trim()}\``);
      }
    }
  });

  it("lists every verb that has a script", () => {
    const scripts = readdirSync(new URL("packages/kvs/src/redis/scripts/", root))
      .filter((name) => name.endsWith(".lua"))
      .map((name) => name.slice(0, -".lua".length));
    expect(scripts.length).toBeGreaterThan(10);
    for (const verb of scripts) expect(page).toContain(`| \`${verb}\` |`);
  });

  it("lists every field of the messages that are maps", () => {
    for (const name of ["run", "engine"]) {
      const fields = [
        ...source(`packages/kvs/src/protocol/${name}.ts`).matchAll(/^ {2}([a-zA-Z]+): z\./gm),
      ].map((match) => match[1]);
      expect(fields.length).toBeGreaterThan(4);
      for (const field of fields) expect(page).toContain(`\`${field ?? ""}\``);
    }
  });

  it("lists every kind of ledger entry", () => {
    for (const [, kind] of source("packages/driver/src/ledger-file.ts").matchAll(
      /readonly kind: "([a-zA-Z]+)"/g,
    )) {
      expect(page).toContain(`\`${kind ?? ""}\``);
    }
  });

  it("lists every error code", () => {
    const codes = [...source("packages/kvs/src/errors.ts").matchAll(/^ {2}\| "(E_[A-Z_]+)"/gm)].map(
      (match) => match[1],
    );
    expect(codes.length).toBeGreaterThan(8);
    for (const code of codes) expect(page).toContain(`| \`${code ?? ""}\` |`);
  });
});
