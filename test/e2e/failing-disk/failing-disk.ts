import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import type { Place } from "../harness.js";

const source = fileURLToPath(new URL("failing-disk.c", import.meta.url));

/** Whether there is a C compiler; without one there is no library to load. */
export function canFail(): boolean {
  try {
    execFileSync("cc", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Compiles the library for the tests of a file; answers its path. */
export function useLibrary(): () => string {
  let directory = "";
  beforeAll(() => {
    // No blanks: they would end the name.
    directory = mkdtempSync("/tmp/taskmuster-failing-disk-");
    const flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror"];
    execFileSync("cc", [...flags, "-o", join(directory, "failing-disk.so"), source]);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return () => join(directory, "failing-disk.so");
}

/** What calls on the status file and the ledger of the driver come to. See failing-disk.c. */
export class FailingDisk {
  readonly env: Readonly<Record<string, string>>;
  readonly #rules: string;

  constructor(place: Place, library: string) {
    this.#rules = place.path("rules");
    this.rule();
    this.env = { LD_PRELOAD: library, FAILING_DISK: this.#rules, UV_USE_IO_URING: "0" };
  }

  /** From now on; none: all is well. */
  rule(...rules: readonly string[]): void {
    // All at once: the driver must not see half of them.
    writeFileSync(`${this.#rules}.new`, rules.map((rule) => `${rule}\n`).join(""));
    renameSync(`${this.#rules}.new`, this.#rules);
  }

  /** How often something has happened: `sync failed one_status.txt`. */
  count(what: string): number {
    return this.#told().filter((line) => line.startsWith(what)).length;
  }

  get failures(): number {
    return this.#told().filter((line) => line.includes(" failed ")).length;
  }

  #told(): readonly string[] {
    const log = `${this.#rules}.log`;
    return existsSync(log) ? readFileSync(log, "utf8").split("\n") : [];
  }
}
