import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FencedError } from "@taskmuster/kvs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ownFile } from "../../src/store/own-file.js";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "own-file-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

it("tells when another file has taken the place of one's own, and nothing else", () => {
  const path = join(directory, "status");
  writeFileSync(path, "");
  const check = ownFile(path);
  writeFileSync(path, "rows\n");
  check();
  rmSync(path);
  check();
  writeFileSync(join(directory, "new"), "");
  // So that the number of the old one is not used again.
  writeFileSync(join(directory, "other"), "");
  renameSync(join(directory, "other"), path);
  expect(check).toThrow(FencedError);
  ownFile(join(directory, "missing"))();
});
