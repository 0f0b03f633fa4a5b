import { execFileSync } from "node:child_process";
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type StatusRow, formatRow, statusHeader } from "../src/core/status-line/index.js";
import { ResumeFiles } from "../src/resume.js";
import { StatusFileError } from "../src/status-file.js";
import { usePlace } from "./place.js";
import { row } from "./rows.js";

const path = usePlace();

function write(name: string, ...rows: readonly (StatusRow | string)[]): string {
  writeFileSync(
    path(name),
    Buffer.concat(rows.map((each) => (typeof each === "string" ? Buffer.from(each) : formatRow(each)))),
  );
  return path(name);
}

/** Opens, looks every id up, and closes. */
async function read(
  ids: readonly number[],
  ...names: readonly string[]
): Promise<{ readonly rows: readonly (StatusRow | null)[]; readonly warnings: readonly string[] }> {
  const files = await ResumeFiles.open(names.map((name) => path(name)));
  const rows: (StatusRow | null)[] = [];
  for (const id of ids) {
    const found = files.index.find(id);
    rows.push(found === null ? null : await files.row(found));
  }
  await files.close();
  return { rows, warnings: files.warnings };
}

describe("resuming from one status file", () => {
  it("finds the row of each task, as it was written, in any order", async () => {
    const command = Buffer.from("echo\tcaf\xe9", "latin1");
    const skipped = row(3, { kind: "skipped", returnCode: 2, outSnippet: "'é\\n'", outBytes: 3 });
    write("s", `${statusHeader}\n`, row(1, { command }), skipped, row(0), row(2, { kind: "barrier" }));
    const { rows, warnings } = await read([0, 1, 2, 3, 4], "s");
    expect(rows.map((each) => each?.id ?? null)).toEqual([0, 1, null, 3, null]);
    expect(Buffer.from(rows[1]?.command ?? [])).toEqual(command);
    expect(rows[3]).toEqual({ ...skipped, command: rows[3]?.command });
    expect(warnings).toEqual([]);
  });

  it("passes over a torn last line, and says so", async () => {
    for (const torn of ["    \t1", formatRow(row(1)).subarray(0, -1).toString()]) {
      write("s", row(0), torn);
      const { rows, warnings } = await read([0, 1], "s");
      expect(rows.map((each) => each?.id ?? null)).toEqual([0, null]);
      expect(warnings).toEqual([
        `${path("s")}: the last line is torn (no line end) and was passed over; its task runs again`,
      ]);
    }
  });

  it("passes over zero bytes that a crash has left, at its end or where rows were, and says so", async () => {
    const second = formatRow(row(1)).toString();
    for (const tail of ["\0".repeat(5000), `${second.slice(0, 20)}\0\0\0`]) {
      write("s", row(0), tail);
      const { rows, warnings } = await read([0, 1], "s");
      expect(rows.map((each) => each?.id ?? null)).toEqual([0, null]);
      expect(warnings).toEqual([
        `${path("s")}: the last line is torn (it ends in zero bytes, as a crash of the host leaves them) and was passed over; its task runs again`,
      ]);
    }
    // From within the command of one to within that of the next: it looks like a row.
    write("s", row(0), `${second.slice(0, -3)}${"\0".repeat(4096)}cho 2\n`, row(3));
    const { rows, warnings } = await read([0, 1, 2, 3], "s");
    expect(rows.map((each) => each?.id ?? null)).toEqual([0, null, null, 3]);
    expect(warnings).toEqual([
      `${path("s")}: 1 line(s) that are no rows were passed over, the first is line 2`,
    ]);
  });

  it("keeps the row of a command with a zero byte of its own, which cannot be started", async () => {
    write("s", row(0, { command: Buffer.from("echo a\0b"), returnCode: 200, pid: -1 }));
    const { rows, warnings } = await read([0], "s");
    expect(rows[0]?.returnCode).toBe(200);
    expect(warnings).toEqual([]);
  });

  it("takes the file of a run that was killed while it wrote its first row for what it is", async () => {
    const first = Buffer.from(formatRow(row(0, { command: Buffer.from("echo \u00e9") })));
    const torn = [1, 4, 5, 7, 30, first.length - 2, first.length - 1].map((end) => first.subarray(0, end));
    for (const rest of [...torn, Buffer.alloc(4096), Buffer.from(statusHeader.slice(0, 12))]) {
      writeFileSync(path("s"), rest);
      const { rows, warnings } = await read([0], "s");
      expect(rows).toEqual([null]);
      expect(warnings).toHaveLength(1);
    }
  });

  it("passes over a hole in the file, and does not hold it", async () => {
    write("s", row(0));
    appendFileSync(path("s"), Buffer.alloc(40 * 1024 * 1024));
    appendFileSync(path("s"), Buffer.concat([Buffer.from("\n"), formatRow(row(1))]));
    const { rows, warnings } = await read([0, 1], "s");
    expect(rows.map((each) => each?.id ?? null)).toEqual([0, 1]);
    expect(warnings).toEqual([
      `${path("s")}: 1 line(s) that are no rows were passed over, the first is line 2`,
    ]);
    appendFileSync(path("s"), Buffer.alloc(20 * 1024 * 1024));
    expect((await read([1], "s")).warnings[1]).toContain("the last line is torn");
  });

  it("refuses what is no regular file, and does not wait for a pipe", async () => {
    execFileSync("mkfifo", [path("pipe")]);
    for (const name of [path("pipe"), path("."), "/dev/zero"])
      await expect(ResumeFiles.open([name])).rejects.toThrow("it is not a regular file");
  });

  it("passes over garbage between rows, and says how much and where", async () => {
    write("s", row(0), "what is this\n", "\n", row(1));
    const { rows, warnings } = await read([0, 1], "s");
    expect(rows.map((each) => each?.id ?? null)).toEqual([0, 1]);
    expect(warnings).toEqual([
      `${path("s")}: 2 line(s) that are no rows were passed over, the first is line 2`,
    ]);
  });

  it("has nothing to say of an empty file, or one with a header only", async () => {
    for (const text of ["", `${statusHeader}\n`]) {
      write("s", text);
      expect(await read([0], "s")).toEqual({ rows: [null], warnings: [] });
    }
  });

  it.each([["Call me Ishmael.\nSome years ago\n"], ["one line without its end"], ["\n"], ["a\tb\tc\n"]])(
    "refuses %j, which is no status file",
    async (text) => {
      write("novel", text);
      await expect(read([], "novel")).rejects.toThrow(`${path("novel")} (-r) is not a status file`);
    },
  );

  it("refuses a large file without line ends before it has all of it in memory", async () => {
    writeFileSync(path("big"), Buffer.alloc(64 * 1024 * 1024));
    const before = process.memoryUsage().arrayBuffers;
    await expect(read([], "big")).rejects.toThrow("is not a status file");
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60 * 1024 * 1024);
  });

  it("refuses what is no regular file, or cannot be read", async () => {
    mkdirSync(path("d"));
    await expect(read([], "d")).rejects.toThrow(
      `cannot resume from ${path("d")} (-r): it is not a regular file`,
    );
    await expect(read([], "missing")).rejects.toThrow(
      `cannot read the status file ${path("missing")} (-r): no such file or directory`,
    );
    await expect(read([], "missing")).rejects.toThrow(StatusFileError);
  });

  it("reads rows that are larger than a read, and rows that lie across two", async () => {
    const long = (id: number, bytes: number) => row(id, { command: Buffer.alloc(bytes, 0x61 + (id % 26)) });
    write("s", ...[300_000, 10, 262_000, 5, 700_000, 0].map((bytes, id) => long(id, bytes + 1)));
    const { rows } = await read([5, 4, 3, 2, 1, 0, 3, 4], "s");
    expect(rows.map((each) => each?.command.length)).toEqual([
      1, 700_001, 6, 262_001, 11, 300_001, 6, 700_001,
    ]);
    expect(rows.map((each) => each?.command[0])).toEqual([5, 4, 3, 2, 1, 0, 3, 4].map((id) => 0x61 + id));
  });

  it("notices a file that was cut off under its hands", async () => {
    write("s", row(0), row(1));
    const files = await ResumeFiles.open([path("s")]);
    const found = files.index.find(1);
    if (found === null) throw new Error("no row");
    writeFileSync(path("s"), "");
    await expect(files.row(found)).rejects.toThrow(`${path("s")} has changed since this run began`);
    await files.close();
  });

  it("is not disturbed by rows that are appended later", async () => {
    write("s", row(0));
    const files = await ResumeFiles.open([path("s")]);
    appendFileSync(path("s"), formatRow(row(1)));
    expect([files.index.count, files.index.find(1)]).toEqual([1, null]);
    await files.close();
  });
});

describe("resuming from several status files", () => {
  it("takes a success from any, else the newest row, whatever the order of the files", async () => {
    const success = row(0, { returnCode: 0, finish: 5 });
    const killed = row(0, { returnCode: -9, finish: 9 });
    const failed = row(1, { returnCode: 3, finish: 5 });
    const again = row(1, { returnCode: 4, finish: 6 });
    write("one", success, failed);
    write("two", killed, again, row(2));
    for (const names of [
      ["one", "two"],
      ["two", "one"],
      ["one", "two", "one"],
    ]) {
      const { rows } = await read([0, 1, 2], ...names);
      expect(rows.map((each) => each?.returnCode)).toEqual([0, 4, 0]);
    }
  });

  it("is enough with the last one, as that holds the skipped rows of those before", async () => {
    write("two", row(0, { kind: "skipped" }), row(1, { kind: "skipped", returnCode: 7 }), row(2));
    const { rows } = await read([0, 1, 2], "two");
    expect(rows.map((each) => each?.returnCode)).toEqual([0, 7, 0]);
  });

  it("leaves no file open when one of them is refused", async () => {
    const { readdirSync } = await import("node:fs");
    write("one", row(0));
    write("novel", "words\n");
    const open = () => readdirSync("/proc/self/fd").length;
    const before = open();
    await expect(ResumeFiles.open([path("one"), path("novel")])).rejects.toThrow(
      "novel (-r) is not a status file",
    );
    expect(open()).toBe(before);
  });
});
