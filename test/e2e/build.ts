import { execFileSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Builds before the end-to-end tests, which run the built command: a stale dist would test the past. */
export default function build(): void {
  const script = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "scripts", "build.mjs");
  execFileSync(process.execPath, [script], { stdio: "inherit" });
}
