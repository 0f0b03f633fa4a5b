import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvsError } from "@taskmuster/kvs";
import { buildServerBinary, findServerBinary } from "@taskmuster/kvs/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { onPath } from "../test-server.js";

let home: string;
let archive: Buffer | undefined;
let host: Server;

/** Sources whose "compilation" takes no time. */
function sources(makefile: string): Buffer {
  const directory = join(home, "sources", "redis-stable");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "Makefile"), makefile);
  return execFileSync("tar", ["-czf", "-", "-C", join(home, "sources"), "redis-stable"]);
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "taskmuster test-"));
  archive = undefined;
  host = createServer((_, response) => {
    response.writeHead(archive === undefined ? 404 : 200, { "content-length": archive?.length ?? 0 });
    response.end(archive);
  });
  await new Promise<void>((resolve) => {
    host.listen(0, "127.0.0.1", resolve);
  });
  const { port } = host.address() as AddressInfo;
  vi.stubEnv("REDISMS_DOWNLOAD_URL", `http://127.0.0.1:${port}/redis-stable.tar.gz`);
  for (const proxy of ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"])
    vi.stubEnv(proxy, undefined);
  for (const proxy of ["npm_config_proxy", "npm_config_https-proxy"]) vi.stubEnv(proxy, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
  await new Promise((resolve) => {
    host.close(resolve);
  });
});

function workshops(): string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith("taskmuster-build-"));
}

describe.skipIf(onPath("make") === undefined || onPath("tar") === undefined)("building a server", () => {
  it("leaves it where it is found from then on, and says what it does", async () => {
    archive = sources(
      "all:\n\tmkdir -p src && echo built > src/redis-server && chmod 755 src/redis-server\n",
    );
    const env = { HOME: home, PATH: "" };
    const progress: string[] = [];
    const before = workshops();
    const output = vi.spyOn(process.stdout, "write");
    const path = await buildServerBinary((message) => progress.push(message), env);
    expect(output).not.toHaveBeenCalled();
    output.mockRestore();
    expect(path).toBe(join(home, ".cache/redis-binaries/stable/redis-server"));
    expect(readFileSync(path, "utf8")).toBe("built\n");
    expect(statSync(path).mode & 0o100).toBe(0o100);
    expect(await findServerBinary(env)).toBe(path);
    expect(progress.join("; ")).toMatch(/^downloading .*; compiling/);
    expect(workshops()).toEqual(before);
  });

  it("can do TLS where that can be built, else not, and says so", async () => {
    const env = { HOME: home, PATH: "" };
    const install = "mkdir -p src && echo tls=$(BUILD_TLS) > src/redis-server && chmod 755 src/redis-server";
    archive = sources(`all:\n\t${install}\n`);
    const built = async (): Promise<string> => {
      const progress: string[] = [];
      const path = await buildServerBinary((message) => progress.push(message), env);
      return `${readFileSync(path, "utf8").trim()} ${progress.slice(2).join("; ")}`;
    };
    expect(await built()).toBe("tls=yes ");
    archive = sources(`all:\n\ttest "$(BUILD_TLS)" != yes && ${install}\n`);
    expect(await built()).toMatch(/^tls= compiling it again, without TLS: .*libssl-dev/);
    expect(process.env["BUILD_TLS"]).toBeUndefined();
  });

  it("says what failed and what else to do", async () => {
    const env = { HOME: home, PATH: "" };
    const before = workshops();
    const without = buildServerBinary(() => undefined, env);
    await expect(without).rejects.toThrow(KvsError);
    await expect(without).rejects.toThrow(
      /cannot build a Redis server: .*404.*or install the package redis-server/s,
    );
    archive = sources("all:\n\t@echo no compiler here >&2; false\n");
    await expect(buildServerBinary(() => undefined, env)).rejects.toThrow(/no compiler here/);
    expect((await findServerBinary(env)) ?? "").not.toContain(home);
    expect(workshops()).toEqual(before);
  });
});
