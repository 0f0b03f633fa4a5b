import { readFileSync } from "node:fs";

/** Of the package whose `dist` this was bundled into; `unknown` anywhere else. */
export function version(): string {
  try {
    const parsed: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    if (typeof parsed === "object" && parsed !== null && "version" in parsed) return String(parsed.version);
  } catch {
    // Run from somewhere else, as the generator of the docs is.
  }
  return "unknown";
}
