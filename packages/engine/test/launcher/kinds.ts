import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const compiler = process.env["CC"] ?? "cc";
const compiles = process.platform === "linux" && spawnSync(compiler, ["--version"]).status === 0;

/** Every launcher must keep the same promises. `compiled`: perl with the spawner that is compiled where there is a compiler. */
export type Kind = "compiled" | "perl" | "portable perl" | "node";

/** Of perl's, those that fork by a process of their own. */
export const kindsWithSpawner: readonly Kind[] = compiles ? ["compiled", "perl"] : ["perl"];
export const perlKinds: readonly Kind[] = [...kindsWithSpawner, "portable perl"];
export const kinds: readonly Kind[] = [...perlKinds, "node"];

/** Whatever way a task is started, the same holds for it. In no slot the kinds of perl do the same. */
export const ways = [
  ...kinds.map((kind) => ({ kind, way: "in a slot", options: { slots: 200 } })),
  ...(["perl", "node"] as const).map((kind) => ({ kind, way: "at once", options: {} })),
];

let compiled: string | null = null;

/** Compiled once by each process that runs tests, from the source as it is. */
export function compiledSpawner(): string {
  if (compiled !== null) return compiled;
  const directory = mkdtempSync(join(tmpdir(), "spawner-test-"));
  process.once("exit", () => rmSync(directory, { recursive: true, force: true }));
  const source = fileURLToPath(new URL("../../src/launcher/native/spawner.c", import.meta.url));
  const path = join(directory, "spawner");
  const { status, stderr } = spawnSync(compiler, ["-O2", "-Wall", "-Wextra", "-Werror", "-o", path, source]);
  if (status !== 0) throw new Error(`spawner.c does not compile: ${stderr.toString()}`);
  return (compiled = path);
}
