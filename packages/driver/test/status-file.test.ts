import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { reasonOf, StatusFile, StatusFileError } from "../src/status-file.js";
import { usePlace } from "./place.js";

const path = usePlace();

function mount(directory: string): boolean {
  return spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", directory]).status === 0;
}

/** A file system that is full must be a real one, and to make one takes root. (/dev/full cannot be truncated.) */
function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "taskmuster-driver-test-"));
  const mounted = mount(directory);
  if (mounted) spawnSync("umount", [directory]);
  rmSync(directory, { recursive: true });
  return mounted;
}

describe("a status file", () => {
  for (const sync of [true, false]) {
    it(`holds what was appended, in the order of the calls (${sync ? "with" : "without"} fsync)`, async () => {
      const file = await StatusFile.create(path("s"), { sync });
      const first = file.append(Buffer.from("one\n"));
      const second = file.append(Buffer.from("two\n"));
      await second;
      expect(readFileSync(path("s"), "utf8")).toBe("one\ntwo\n");
      await first;
      void file.append(Buffer.from("three\n"));
      await file.close();
      expect(readFileSync(path("s"), "utf8")).toBe("one\ntwo\nthree\n");
    });
  }

  it("is private to its user, whatever the umask", async () => {
    const before = process.umask(0);
    try {
      const file = await StatusFile.create(path("s"), { sync: false });
      await file.close();
    } finally {
      process.umask(before);
    }
    expect(statSync(path("s")).mode & 0o777).toBe(0o600);
  });

  it("is never one that exists: that one keeps its rows, and the message says what to do", async () => {
    writeFileSync(path("s"), "old\n");
    await expect(StatusFile.create(path("s"), { sync: true })).rejects.toThrow(
      `${path("s")} exists already, and a status file is never overwritten. Choose another prefix with -p, or go on with that run: -r ${path("s")}`,
    );
    expect(readFileSync(path("s"), "utf8")).toBe("old\n");
  });

  it("says why it cannot be made", async () => {
    await expect(StatusFile.create(path("no/s"), { sync: true })).rejects.toThrow(
      `cannot create the status file ${path("no/s")}: no such file or directory`,
    );
    mkdirSync(path("d"));
    await expect(StatusFile.create(path("d/x/s"), { sync: true })).rejects.toThrow(StatusFileError);
    const long = "x".repeat(300);
    await expect(StatusFile.create(path(long), { sync: true })).rejects.toThrow("the name is too long");
  });
});

describe("a status file that is not where it was", () => {
  it.each([
    ["removed", "has been removed, or moved elsewhere", (at: string) => rmSync(at)],
    ["moved away", "has been removed, or moved elsewhere", (at: string) => renameSync(at, `${at}.old`)],
    [
      "replaced",
      "has been replaced by another file",
      (at: string) => {
        writeFileSync(`${at}.new`, "");
        renameSync(`${at}.new`, at);
      },
    ],
  ] as const)("takes nothing when it was %s, and will not again", async (_, words, act) => {
    const file = await StatusFile.create(path("s"), { sync: true });
    act(path("s"));
    const refused = file.append(Buffer.from("one\n"));
    await expect(refused).rejects.toThrow(`the status file ${path("s")} ${words}`);
    await expect(refused).rejects.toMatchObject({ mayHeal: false });
    await file.close();
  });
});

describe("rows that need not be synced at once", () => {
  it("are there when the file is flushed, and count in its length", async () => {
    const file = await StatusFile.create(path("s"), { sync: true });
    await file.append(Buffer.from("one\n"), { sync: false });
    await file.append(Buffer.from("two\n"), { sync: false });
    expect(file.bytes).toBe(8);
    await file.flush();
    await file.append(Buffer.from("three\n"));
    expect(file.bytes).toBe(14);
    await file.close();
    expect(readFileSync(path("s"), "utf8")).toBe("one\ntwo\nthree\n");
  });
});

describe.skipIf(!canMount())("a status file on a full disk (needs root, to mount one)", () => {
  /** Appends until it fails; answers how many went well, and the error. */
  async function fill(
    file: StatusFile,
    rows: Uint8Array,
  ): Promise<{ readonly written: number; readonly error: unknown }> {
    for (let written = 0; written < 1000; written++) {
      try {
        await file.append(rows);
      } catch (error) {
        return { written, error };
      }
    }
    throw new Error("the disk never gets full");
  }

  for (const [what, bytes] of [
    ["half a row that still found room", 10_000],
    ["a page that did not", 4096],
  ] as const) {
    it(`ends after its last whole row, without ${what}, and takes the same again when there is room`, async () => {
      const disk = path("disk");
      mkdirSync(disk);
      expect(mount(disk)).toBe(true);
      try {
        const file = await StatusFile.create(join(disk, "s"), { sync: true });
        const rows = Buffer.from(`${"x".repeat(bytes - 1)}\n`);
        const { written, error } = await fill(file, rows);
        expect(error).toBeInstanceOf(StatusFileError);
        expect(String(error)).toContain(
          `cannot write the status file ${join(disk, "s")}: no space left on the device`,
        );
        expect(written).toBeGreaterThan(3);
        expect(statSync(join(disk, "s")).size).toBe(written * bytes);
        expect(error).toMatchObject({ mayHeal: true });
        await expect(file.append(rows)).rejects.toThrow("no space left on the device");
        expect(spawnSync("mount", ["-o", "remount,size=128k", disk]).status).toBe(0);
        await file.append(rows);
        expect(readFileSync(join(disk, "s"), "utf8")).toBe(rows.toString().repeat(written + 1));
        await file.close();
      } finally {
        expect(spawnSync("umount", [disk]).status).toBe(0);
      }
    });
  }

  it("fails what does not fit, and only that", async () => {
    const disk = path("disk");
    mkdirSync(disk);
    expect(mount(disk)).toBe(true);
    try {
      const file = await StatusFile.create(join(disk, "s"), { sync: false });
      const outcomes = await Promise.allSettled([
        file.append(Buffer.from("whole\n")),
        file.append(Buffer.alloc(100_000, 0x78)),
        file.append(Buffer.from("late\n")),
      ]);
      expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      await file.close();
      expect(readFileSync(join(disk, "s"), "utf8")).toBe("whole\nlate\n");
    } finally {
      expect(spawnSync("umount", [disk]).status).toBe(0);
    }
  });
});

describe.skipIf(!canMount())("rows that were not synced, on a full disk (needs root, to mount one)", () => {
  it("are written again with those that came after them", async () => {
    const disk = path("disk");
    mkdirSync(disk);
    expect(mount(disk)).toBe(true);
    try {
      const file = await StatusFile.create(join(disk, "s"), { sync: true });
      await file.append(Buffer.from("one\n"), { sync: false });
      await file.append(Buffer.from("two\n"), { sync: false });
      const long = Buffer.alloc(100_000, 0x78);
      await expect(file.append(long)).rejects.toThrow("no space left on the device");
      // Nothing is known to be on disk, so nothing is left in doubt there.
      expect(statSync(join(disk, "s")).size).toBe(0);
      expect(spawnSync("mount", ["-o", "remount,size=256k", disk]).status).toBe(0);
      await file.append(long);
      await file.close();
      expect(readFileSync(join(disk, "s"), "utf8")).toBe(`one\ntwo\n${long.toString()}`);
    } finally {
      expect(spawnSync("umount", [disk]).status).toBe(0);
    }
  });
});

describe("reasonOf", () => {
  it("has words for what happens, and leaves others their own", () => {
    const known = [
      "ENOSPC",
      "EDQUOT",
      "EACCES",
      "EPERM",
      "ENOENT",
      "EISDIR",
      "ENOTDIR",
      "EROFS",
      "ENAMETOOLONG",
      "EFBIG",
    ];
    for (const code of known) {
      expect(reasonOf(Object.assign(new Error(`${code}: x, open 'y'`), { code }))).not.toContain(code);
    }
    expect(reasonOf(Object.assign(new Error("EIO: i/o error"), { code: "EIO" }))).toBe("input/output error");
    expect(reasonOf(Object.assign(new Error("EBADF: bad file descriptor, write"), { code: "EBADF" }))).toBe(
      "bad file descriptor",
    );
    // As Node tells it.
    const quota = { code: "Unknown system error -122", errno: -122 };
    expect(reasonOf(Object.assign(new Error("Unknown system error -122, write"), quota))).toBe(
      "the disk quota is exceeded",
    );
    expect(reasonOf("just text")).toBe("just text");
  });
});
