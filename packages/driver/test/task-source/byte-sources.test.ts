import { spawn, spawnSync } from "node:child_process";
import { closeSync, constants, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bytesOf, FileBytes, SpooledBytes } from "../../src/task-source/byte-sources.js";
import type { ByteSource } from "../../src/task-source/parsed-source.js";
import { usePlace } from "../place.js";

const path = usePlace();

async function all(source: ByteSource): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await source.next(); chunk !== null; chunk = await source.next())
    chunks.push(Buffer.from(chunk));
  await source.close();
  return Buffer.concat(chunks);
}

function pipe(): { readonly reader: number; readonly writer: number } {
  expect(spawnSync("mkfifo", [path("pipe")]).status).toBe(0);
  const reader = openSync(path("pipe"), constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path("pipe"), constants.O_WRONLY) };
}

describe("a file", () => {
  it("comes whole, in chunks, and at its end stays there", async () => {
    const bytes = Buffer.from(Array.from({ length: 600_000 }, (_, index) => index % 251));
    writeFileSync(path("f"), bytes);
    const source = bytesOf(openSync(path("f"), "r"));
    expect(source).toBeInstanceOf(FileBytes);
    expect((await all(source)).equals(bytes)).toBe(true);
    expect(await source.next()).toBeNull();
    await source.close();
  });
});

describe("a pipe", () => {
  it("comes as it is written, and ends when its last writer is gone", async () => {
    const { reader, writer } = pipe();
    const source = bytesOf(reader);
    const waiting = source.next();
    writeSync(writer, "one");
    expect(String(await waiting)).toBe("one");
    const next = source.next();
    writeSync(writer, "two");
    closeSync(writer);
    expect(String(await next)).toBe("two");
    expect([await source.next(), await source.next()]).toEqual([null, null]);
    await source.close();
  });

  it("that is closed lets whoever waits for it go", async () => {
    const { reader, writer } = pipe();
    const source = bytesOf(reader);
    const waiting = source.next();
    await source.close();
    expect(await waiting).toBeNull();
    await source.close();
    closeSync(writer);
  });

  it("comes whole however much is in it, no faster than it is taken", async () => {
    const { reader, writer } = pipe();
    const child = spawn("sh", ["-c", `head -c 3000000 /dev/zero > "$1"`, "sh", path("pipe")], {
      stdio: "ignore",
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    // Without a writer before the child is there, this would be the end.
    void ended.then(() => closeSync(writer));
    expect(await all(bytesOf(reader))).toHaveLength(3_000_000);
    expect(await ended).toBe(0);
  });
});

describe("a spool", () => {
  function spooled(...chunks: readonly string[]): SpooledBytes {
    const left = [...chunks];
    const source: ByteSource = {
      next: () => Promise.resolve(left.length === 0 ? null : Buffer.from(left.shift() ?? "")),
      close: () => Promise.resolve(),
    };
    return new SpooledBytes(source, path("spool"));
  }

  it("has every byte in its file before it hands it on", async () => {
    const source = spooled("one\n", "two\n");
    expect(source.path).toBeNull();
    expect(String(await source.next())).toBe("one\n");
    expect(source.path).toBe(path("spool"));
    expect(readFileSync(path("spool"), "utf8")).toBe("one\n");
    await source.next();
    expect(readFileSync(path("spool"), "utf8")).toBe("one\ntwo\n");
    expect(statSync(path("spool")).mode & 0o777).toBe(0o600);
    expect(await source.next()).toBeNull();
    await source.close();
    await source.close();
  });

  it("of nothing makes no file", async () => {
    const source = spooled();
    expect(await source.next()).toBeNull();
    await source.close();
    expect(source.path).toBeNull();
  });

  it("that cannot be written fails the read", async () => {
    const source = new SpooledBytes(spooled("x"), path("no/spool"));
    await expect(source.next()).rejects.toThrow("ENOENT");
    await source.close();
  });
});
