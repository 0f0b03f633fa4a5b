import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** A directory of its own for each test of a file, gone afterwards. Call on the top level; answers the path of a name in it. */
export function usePlace(): (name?: string) => string {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "taskmuster-driver-test-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  return (name = "") => join(directory, name);
}
