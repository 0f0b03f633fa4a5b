import { copyFileSync, createWriteStream, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import http, { type IncomingMessage } from "node:http";
import https, { type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
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
  // Its own entry builds too, but downloads in another way (see below).
  const Base = defaultExport(await import("redis-memory-server/lib/util/RedisBinaryDownload.js"));
  if (!isDownloader(Base)) throw new Error("redis-memory-server is not the version that it should be");

  return class extends Base {
    /**
     * What is downloaded is compiled and run: the original checks the certificate only when started by npm. It also writes
     * to standard output, which is for results, and a failure can end the process.
     */
    override async httpDownload(
      ...[options, target, temporary]: Parameters<InstanceType<Downloader>["httpDownload"]>
    ): Promise<string> {
      const response = await get({ ...options, rejectUnauthorized: true });
      if (response.statusCode !== 200) {
        response.destroy();
        throw new Error(
          `${options.hostname}${options.path} answered with status ${response.statusCode ?? "none"}`,
        );
      }
      await pipeline(response, createWriteStream(temporary));
      renameSync(temporary, target);
      return target;
    }

    override async makeInstall(directory: string): Promise<void> {
      onProgress("compiling Redis; this takes a few minutes");
      const before = process.env["BUILD_TLS"];
      process.env["BUILD_TLS"] = "yes";
      try {
        return await super.makeInstall(directory);
      } catch {
        onProgress(
          "compiling it again, without TLS: for that it wants OpenSSL's header files (Debian: libssl-dev)",
        );
      } finally {
        if (before === undefined) delete process.env["BUILD_TLS"];
        else process.env["BUILD_TLS"] = before;
      }
      return super.makeInstall(directory);
    }
  };
}

function get(options: RequestOptions & { readonly protocol: string }): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = options.protocol === "http:" ? http.get(options) : https.get(options);
    request.once("response", resolve);
    request.once("error", reject);
  });
}

/** Node, the bundler and the test runner differ in how deep they put the default export of such a module. */
function defaultExport(loaded: unknown): unknown {
  let found = loaded;
  while (typeof found === "object" && found !== null && "default" in found) found = found.default;
  return found;
}

function isDownloader(found: unknown): found is Downloader {
  return typeof found === "function";
}
