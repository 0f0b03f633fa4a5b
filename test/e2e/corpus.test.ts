import { cpSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { normaliseStatus } from "../corpus-rows.js";
import { usePlace } from "./harness.js";

const place = usePlace();
const corpus = fileURLToPath(new URL("../corpus/", import.meta.url));

interface Case {
  readonly args?: readonly string[];
  readonly exit?: number;
  readonly stderrIncludes?: readonly string[];
  readonly stdin?: boolean;
}

describe("the corpus of task files", () => {
  for (const name of readdirSync(corpus, { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
    it(name.name, async () => {
      const dir = `${corpus}${name.name}/`;
      const spec = existsSync(`${dir}case.json`)
        ? (JSON.parse(readFileSync(`${dir}case.json`, "utf8")) as Case)
        : {};
      const tasks = readFileSync(`${dir}tasks`);
      cpSync(dir, place().dir, { recursive: true });
      const source = spec.stdin === true ? "-" : "tasks";
      const { code, stderr, stdout } = await place().run(
        ["-s", "localhost:2", "-p", "run", ...(spec.args ?? []), source],
        spec.stdin === true ? { input: tasks } : {},
      );
      const rows = existsSync(place().path("run_status.txt"))
        ? readFileSync(place().path("run_status.txt"))
        : Buffer.of();
      const expected = readFileSync(`${dir}expected`, "utf8");
      expect(normaliseStatus(rows)).toEqual(expected === "" ? [] : expected.replace(/\n$/, "").split("\n"));
      expect({ code, stdout: spec.exit === undefined ? "" : stdout, stderr }).toMatchObject({
        code: spec.exit ?? 0,
      });
      for (const words of spec.stderrIncludes ?? []) expect(stderr + stdout).toContain(words);
    });
  }
});
