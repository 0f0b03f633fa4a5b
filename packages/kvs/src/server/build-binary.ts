import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { KvsError } from "../errors.js";
import { builtBinary, builtVersion } from "./find-binary.js";

type Downloader = typeof import("redis-memory-server/lib/util/RedisBinaryDownload.js").default;

/**
 * Downloads and compiles a Redis server with redis-memory-server (takes minutes; needs a network, `make` and a C compiler) and
 * answers its path, where `findServerBinary` finds it from then on. Throws `KvsError`.
 */
export async function buildServerBinary(
  onProgress: (message: string) => void,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const target = builtBinary(env);
  // Redis cannot be compiled in a directory with a blank in its name. Nobody sees a half-built one either.
  const parent = /\s/.test(tmpdir()) ? "/tmp" : tmpdir();
  const workshop = mkdtempSync(join(parent, "taskmuster-build-"));
  try {
    const Downloader = await loadDownloader(onProgress);
    onProgress("downloading the sources of Redis");
    const built = await new Downloader({
      downloadDir: workshop,
      version: builtVersion(env),
    }).getRedisServerPath();
    mkdirSync(dirname(target), { recursive: true });
    const copy = `${target}.${process.pid}`;
    copyFileSync(built, copy);
    renameSync(copy, target);
    return target;
  } catch (cause) {
    const why =
      cause instanceof Error ? cause.message.trim().split("\n").slice(0, 5).join("\n  ") : String(cause);
    throw new KvsError(
      `cannot build a Redis server: ${why}\n` +
        "this needs a network, make and a C compiler; or install the package redis-server (or valkey), " +
        "or name a running server with --kvsserver HOST:PORT",
      { cause },
    );
  } finally {
    rmSync(workshop, { recursive: true, force: true });
  }
}

async function loadDownloader(onProgress: (message: string) => void) {
  // The package's own entry builds too, but writes to standard output and checks no certificate (see below).
  const Base = defaultExport(
    await import("redis-memory-server/lib/util/RedisBinaryDownload.js"),
  ) as Downloader;

  return class extends Base {
    /** The original writes to standard output, which is for results. */
    override printDownloadProgress(chunk: { length: number }): void {
      const { dlProgress: progress } = this;
      progress.current += chunk.length;
      const now = Date.now();
      if (now - progress.lastPrintedAt < 2_000) return;
      progress.lastPrintedAt = now;
      onProgress(`downloaded ${Math.floor((100 * progress.current) / progress.length)} %`);
    }

    /** What is downloaded is compiled and run: the original checks the certificate only when started by npm. */
    override async httpDownload(
      ...[options, ...rest]: Parameters<InstanceType<Downloader>["httpDownload"]>
    ): Promise<string> {
      return super.httpDownload({ ...options, rejectUnauthorized: true }, ...rest);
    }

    override async makeInstall(directory: string): Promise<void> {
      onProgress("compiling Redis; this takes a few minutes");
      return super.makeInstall(directory);
    }
  };
}

/** Node, the bundler and the test runner differ in how deep they put the default export of such a module. */
function defaultExport(loaded: unknown): unknown {
  let found = loaded;
  while (typeof found === "object" && found !== null && "default" in found) found = found.default;
  return found;
}
