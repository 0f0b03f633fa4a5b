import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KvsError } from "@taskmuster/kvs";
import { protocolVersion, runId } from "@taskmuster/kvs/protocol";
import { type RunAddress, readAddressFile, writeAddressFile } from "@taskmuster/kvs/server";
import { afterAll, describe, expect, it } from "vitest";

const directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
const start = `{"version":${protocolVersion},`;
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const address: RunAddress = {
  runId: runId("abcdefgh"),
  addresses: ["unix:///tmp/x/s", "rediss://host:1"],
  username: "me",
  password: 'p"w\n\u{1F511}',
  private: true,
};

function fileWith(content: string, mode = 0o600): string {
  const path = join(directory, "given");
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

describe("an address file", () => {
  it("gives back what was written", () => {
    const path = join(directory, "one kvsinfo.txt");
    writeAddressFile(path, address);
    expect(readAddressFile(path)).toEqual(address);
    const plain: RunAddress = { runId: runId("abcdefgh"), addresses: ["redis://host:1"], private: false };
    writeAddressFile(path, plain);
    expect(readAddressFile(path)).toEqual(plain);
  });

  it.each([0o000, 0o022, 0o077, 0o777])("is its owner's only, with umask %o, and comes whole", (umask) => {
    const path = join(directory, `umask${umask}`);
    const before = process.umask(umask);
    try {
      writeAddressFile(path, address);
      writeAddressFile(path, address);
    } finally {
      process.umask(before);
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("leaves nothing behind where it cannot be written", () => {
    const taken = join(directory, "taken");
    mkdirSync(taken);
    expect(() => {
      writeAddressFile(taken, address);
    }).toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(readdirSync(directory).filter((name) => name.startsWith("."))).toEqual([]);
    expect(() => {
      writeAddressFile(join(directory, "no", "such", "file"), address);
    }).toThrow(/ENOENT/);
  });

  it.each([0o640, 0o604, 0o660, 0o601])("is refused with mode %o", (mode) => {
    const path = fileWith("{}", mode);
    expect(() => readAddressFile(path)).toThrow(/other users have access.*chmod 600/);
  });

  it.skipIf(process.getuid?.() !== 0)("is refused when it belongs to another user", () => {
    const path = join(directory, "foreign");
    writeAddressFile(path, address);
    chownSync(path, 12_345, 12_345);
    expect(() => readAddressFile(path)).toThrow(/belongs to another user/);
  });

  it("says when there is none", () => {
    expect(() => readAddressFile(join(directory, "none"))).toThrow(
      /there is no address file .*none: the run is over/,
    );
  });

  it.each([
    ["not json", /not JSON/],
    ["[]", /not an address file of this version/],
    ['{"version":99,"runId":"abcdefgh","addresses":["x"],"private":true}', /version/],
    [`${start}"runId":"abcdefgh","addresses":[],"private":true}`, /addresses/],
    [`${start}"runId":"NO","addresses":["x"],"private":true}`, /run id/],
    [`${start}"runId":"abcdefgh","addresses":["x"],"password":5,"private":true}`, /password/],
  ])("is refused when it holds %s", (content, message) => {
    const path = fileWith(content);
    expect(() => readAddressFile(path)).toThrow(KvsError);
    expect(() => readAddressFile(path)).toThrow(message);
  });

  it("is refused when it is no file, or a huge or binary one, and nobody waits for a pipe", () => {
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", ["-m", "600", pipe]);
    expect(() => readAddressFile(pipe)).toThrow(/pipe is not an address file: it is no regular file/);
    const folder = join(directory, "folder");
    mkdirSync(folder, { mode: 0o700 });
    expect(() => readAddressFile(folder)).toThrow(/folder is not an address file: it is no regular file/);
    expect(() => readAddressFile("/dev/zero")).toThrow(/no regular file/);
    const huge = fileWith("{}");
    truncateSync(huge, 100 * 1024 * 1024 * 1024);
    expect(() => readAddressFile(huge)).toThrow(/it has 107374182400 bytes/);
    const binary = join(directory, "binary");
    writeFileSync(binary, Buffer.from([0xff, 0, 1, 2]), { mode: 0o600 });
    expect(() => readAddressFile(binary)).toThrow(/not JSON/);
  });

  it.skipIf(process.getuid?.() === 0)("says that it may not be read", () => {
    expect(() => readAddressFile(fileWith("{}", 0))).toThrow(/cannot read the address file.*EACCES/);
  });
});
