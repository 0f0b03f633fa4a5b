import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runKeyNames } from "../../packages/kvs/src/keys.js";

const root = new URL("../../", import.meta.url);
// Blanks that only line columns up do not count.
const page = readFileSync(new URL("docs/protocol.md", root), "utf8").replace(/ +/g, " ");

function source(path: string): string {
  return readFileSync(new URL(path, root), "utf8");
}

function messageRow(message: string): string {
  return page.split("\n").find((line) => line.startsWith(`| ${message} |`)) ?? "";
}

/** Of all maps in a schema, inner ones too. */
function fieldsOf(path: string): string[] {
  const fields = [...source(path).matchAll(/^ {2,8}([a-zA-Z]+): (?:z\.|[a-zA-Z]+Schema)/gm)];
  return fields.map((match) => match[1] ?? "");
}

function expectFields(message: string, path: string): void {
  const fields = fieldsOf(path);
  expect(fields.length).toBeGreaterThan(6);
  for (const field of fields) expect(messageRow(message), `${message}: ${field}`).toContain(`\`${field}\``);
}

describe("docs/protocol.md", () => {
  it("lists every key, with every field of the hashes", () => {
    for (const [name, what] of Object.entries(runKeyNames)) {
      const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
      expect(row, name).toBeDefined();
      if (!["meta", "engine:<engine>", "contexts"].includes(name)) continue;
      for (const field of what
        .slice("hash: ".length)
        .replace(/\(.*?\)/g, "")
        .split(", ")) {
        if (/^[a-zA-Z:<>]+ *$/.test(field)) expect(row, `${name}: ${field}`).toContain(`\`${field.trim()}\``);
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
    const messages = {
      "run info": "kvs/src/protocol/run.ts",
      "run state": "kvs/src/protocol/run-state.ts",
      "context info": "kvs/src/protocol/context.ts",
      request: "kvs/src/protocol/request.ts",
      "engine configuration": "engine/src/engine-config.ts",
    };
    for (const [message, path] of Object.entries(messages)) expectFields(message, `packages/${path}`);
    // Two messages in one file.
    const both = `${messageRow("engine info")} ${messageRow("engine stats")}`;
    for (const field of fieldsOf("packages/kvs/src/protocol/engine.ts"))
      expect(both).toContain(`\`${field}\``);
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
