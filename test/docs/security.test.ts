import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const page = new URL("../../docs/security.md", import.meta.url);
const text = readFileSync(page, "utf8");

/** `[file](path) "a test's name"` */
const named = [...text.matchAll(/\]\((\S+?\.test\.ts)\) "([^"]+)"/g)].map(([, path = "", name = ""]) => ({
  path,
  name,
}));

describe("docs/security.md", () => {
  it.each(named)("names a test that is there: $path $name", ({ path, name }) => {
    const file = new URL(path, page);
    expect(existsSync(file), path).toBe(true);
    expect(readFileSync(file, "utf8").replaceAll("\\", ""), path).toContain(name);
  });

  it("says nothing of what anybody can do without naming a test", () => {
    const tables = text.split("\n\n").filter((part) => part.startsWith("| they can"));
    expect(tables.length).toBeGreaterThan(3);
    const rows = tables.flatMap((table) => table.split("\n").slice(2));
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows.filter((each) => each !== "")) expect(row).toMatch(/\.test\.ts\) "[^"]+"/);
  });

  it("names no file of tests without a test in it", () => {
    expect([...text.matchAll(/\]\(\S+?\.test\.ts\)/g)]).toHaveLength(named.length);
  });
});
