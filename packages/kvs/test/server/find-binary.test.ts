import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findServerBinary } from "@taskmuster/kvs/server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

function program(path: string, mode = 0o755): string {
  const full = join(directory, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, "#!/bin/sh\n");
  chmodSync(full, mode);
  return full;
}

/** One that was built beside our own sources may always be there. */
async function findOurs(env: Record<string, string>): Promise<string | null> {
  const found = await findServerBinary(env);
  return found?.includes("node_modules") ? null : found;
}

describe("looking for a server to start", () => {
  it("prefers redis-server anywhere on PATH, then valkey-server, then one that was built", async () => {
    const env = { HOME: directory, PATH: `${directory}/a:${directory}/b c` };
    expect(await findOurs(env)).toBeNull();
    const built = program(".cache/redis-binaries/stable/redis-server");
    expect(await findServerBinary(env)).toBe(built);
    const valkey = program("a/valkey-server");
    expect(await findServerBinary(env)).toBe(valkey);
    const redis = program("b c/redis-server");
    expect(await findServerBinary(env)).toBe(redis);
  });

  it("looks where redis-memory-server is told to build", async () => {
    const other = program("else/7.2/redis-server");
    const env = {
      HOME: directory,
      PATH: "",
      REDISMS_DOWNLOAD_DIR: join(directory, "else"),
      REDISMS_VERSION: "7.2",
    };
    expect(await findServerBinary(env)).toBe(other);
    const system = program("my redis");
    expect(await findServerBinary({ ...env, REDISMS_SYSTEM_BINARY: system })).toBe(system);
  });

  it("takes only programs, and no relative entries of PATH", async () => {
    program("a/redis-server", 0o644);
    mkdirSync(join(directory, "b/redis-server"), { recursive: true });
    const env = { HOME: directory, PATH: `${directory}/a:${directory}/b:.:bin::` };
    expect(await findOurs(env)).toBeNull();
    expect(await findOurs({ HOME: directory })).toBeNull();
  });
});
