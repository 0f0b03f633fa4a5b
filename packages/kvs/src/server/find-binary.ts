import { accessSync, constants, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, isAbsolute, join } from "node:path";
import { fileURLToPath } from "node:url";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Absolute path of a server that can be started, or null: `redis-server` on PATH, `valkey-server` on PATH, or one that
 * redis-memory-server has built before. Never downloads anything.
 */
export async function findServerBinary(env: Environment): Promise<string | null> {
  // A relative entry of PATH would make what we start depend on the directory we are in.
  const directories = (env["PATH"] ?? "").split(":").filter((each) => isAbsolute(each));
  const candidates = [
    ...directories.map((directory) => join(directory, "redis-server")),
    ...directories.map((directory) => join(directory, "valkey-server")),
    ...builtBinaries(env),
  ];
  return candidates.find(isExecutable) ?? null;
}

/** Where a server that was built for us lies. The same place that redis-memory-server itself looks at first. */
export function builtBinary(env: Environment): string {
  const directory = env["REDISMS_DOWNLOAD_DIR"] || join(env["HOME"] || homedir(), ".cache", "redis-binaries");
  return join(directory, builtVersion(env), "redis-server");
}

export function builtVersion(env: Environment): string {
  return env["REDISMS_VERSION"] || "stable";
}

/** All the places where redis-memory-server puts what it builds (its `RedisBinary.getPath`), for our own package. */
function builtBinaries(env: Environment): string[] {
  const inCache = join("redis-memory-server", "redis-binaries", builtVersion(env), "redis-server");
  const places = [builtBinary(env)];
  if (env["REDISMS_SYSTEM_BINARY"]) places.unshift(env["REDISMS_SYSTEM_BINARY"]);
  if (env["CACHE_DIR"]) places.push(join(env["CACHE_DIR"], inCache));
  for (let at = dirname(fileURLToPath(import.meta.url)); at !== dirname(at); at = dirname(at)) {
    places.push(join(at, "node_modules", ".cache", inCache));
  }
  return places.filter((place) => isAbsolute(place));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
