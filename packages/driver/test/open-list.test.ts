import { spawnSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { TaskmusterError } from "@taskmuster/kvs";
import { describe, expect, it } from "vitest";
import type { Item } from "../src/core/task-file/index.js";
import { type OpenedList, openList, readPerEngine, TaskFileError, verifyResume } from "../src/open-list.js";
import { ResumeFiles } from "../src/resume.js";
import { formatRow } from "../src/core/status-line/index.js";
import { usePlace } from "./place.js";
import { row } from "./rows.js";

const path = usePlace();
const isRoot = process.getuid?.() === 0;
const open = (name: string, lenient = false): Promise<OpenedList> =>
  openList(name, { lenient, spool: path("spool") });

function shown(item: Item): string {
  switch (item.kind) {
    case "task":
      return `${item.id} ${Buffer.from(item.command).toString()}`;
    case "barrier":
      return `${item.id} barrier`;
    case "perEngine":
      return `${item.when} ${Buffer.from(item.command).toString()}`;
    case "notice":
    case "error":
      return `${item.kind} line ${item.line}`;
  }
}

async function all(list: OpenedList): Promise<readonly string[]> {
  const lines: string[] = [];
  for (;;) {
    const items = await list.source.read(3);
    if (items.length === 0) break;
    lines.push(...items.map(shown));
  }
  await list.source.close();
  return lines;
}

async function codeOf(opening: Promise<unknown>): Promise<string> {
  const error: unknown = await opening.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof TaskmusterError ? error.code : String(error);
}

describe("a regular file", () => {
  it("is counted before it is read, and can be read again", async () => {
    writeFileSync(path("tasks"), "a\n# no\n#DISBATCH REPEAT 3 b\n#DISBATCH BARRIER\nc");
    const list = await open(path("tasks"));
    expect([list.tasks, list.spool, list.source.name]).toEqual([5, null, "tasks"]);
    const again: string[] = [];
    expect(await list.source.read(1)).toHaveLength(1);
    for await (const items of list.reread?.() ?? []) again.push(...items.map(shown));
    expect(again).toEqual(["0 a", "1 b", "2 b", "3 b", "4 barrier", "5 c"]);
    expect(await all(list)).toEqual(again.slice(1));
    expect(existsSync(path("spool"))).toBe(false);
  });

  it("with a bad directive anywhere is refused as a whole, with the line, and left closed", async () => {
    writeFileSync(path("tasks"), `${"true\n".repeat(300_000)}#DISBATCH FOO\n`);
    const before = readdirSync("/proc/self/fd").length;
    const opening = open(path("tasks"));
    await expect(opening).rejects.toThrow(`${path("tasks")}, line 300001: `);
    await expect(opening).rejects.toThrow("#DISBATCH FOO");
    await expect(opening).rejects.toBeInstanceOf(TaskFileError);
    expect(readdirSync("/proc/self/fd").length).toBe(before);
    const lenient = await open(path("tasks"), true);
    expect(lenient.tasks).toBe(300_000);
    await lenient.source.close();
  });

  it("of 600 kB in one line, over several reads, comes whole", async () => {
    writeFileSync(path("tasks"), `${"x".repeat(600_000)}\ny`);
    const lines = await all(await open(path("tasks")));
    expect(lines.map((line) => line.length)).toEqual([600_002, 3]);
  });

  it("that is missing, a directory, or not ours to read is a usage error that says so", async () => {
    mkdirSync(path("d"));
    await expect(open(path("missing"))).rejects.toThrow(
      `cannot read the task file ${path("missing")}: no such file or directory`,
    );
    await expect(open(path("d"))).rejects.toThrow(`the task file ${path("d")} is a directory`);
    expect([await codeOf(open(path("missing"))), await codeOf(open(path("d")))]).toEqual([
      "E_USAGE",
      "E_USAGE",
    ]);
  });

  it.skipIf(isRoot)("that is not ours to read is a usage error too (root may read everything)", async () => {
    writeFileSync(path("secret"), "true\n");
    chmodSync(path("secret"), 0);
    await expect(open(path("secret"))).rejects.toThrow("permission denied");
  });
});

describe("a stream", () => {
  it("by the name of a pipe is not waited for when it is opened, comes line by line, and is kept", async () => {
    expect(spawnSync("mkfifo", [path("pipe")]).status).toBe(0);
    const list = await open(path("pipe"));
    expect([list.tasks, list.reread, list.spool?.path, list.source.name]).toEqual([null, null, null, "pipe"]);
    const first = list.source.read(10);
    const writer = openSync(path("pipe"), constants.O_WRONLY);
    writeSync(writer, "a\nb\nhalf a li");
    expect((await first).map(shown)).toEqual(["0 a", "1 b"]);
    expect(readFileSync(path("spool"), "utf8")).toBe("a\nb\nhalf a li");
    const second = list.source.read(10);
    writeSync(writer, "ne\nlast");
    expect((await second).map(shown)).toEqual(["2 half a line"]);
    const third = list.source.read(10);
    closeSync(writer);
    expect((await third).map(shown)).toEqual(["3 last"]);
    expect(await list.source.read(10)).toEqual([]);
    expect(list.spool?.path).toBe(path("spool"));
    await list.source.close();
  });

  it("that is closed while somebody waits for it gives that one nothing, not even the half line that has come", async () => {
    expect(spawnSync("mkfifo", [path("pipe")]).status).toBe(0);
    const list = await open(path("pipe"));
    const writer = openSync(path("pipe"), constants.O_WRONLY);
    writeSync(writer, "a\nrm -rf ./x");
    expect((await list.source.read(10)).map(shown)).toEqual(["0 a"]);
    const waiting = list.source.read(10);
    await list.source.close();
    expect(await waiting).toEqual([]);
    expect(await list.source.read(10)).toEqual([]);
    closeSync(writer);
  });

  it("by the name of a descriptor is one, and a file by that name is a file", async () => {
    writeFileSync(path("tasks"), "a\nb\n");
    const fd = openSync(path("tasks"), "r");
    const list = await open(`/dev/fd/${fd}`);
    expect([list.tasks, list.source.name]).toEqual([2, String(fd)]);
    expect(await all(list)).toEqual(["0 a", "1 b"]);
    closeSync(fd);
    expect(spawnSync("mkfifo", [path("pipe")]).status).toBe(0);
    const pipe = openSync(path("pipe"), constants.O_RDWR);
    writeSync(pipe, "c\n");
    const stream = await open(`/dev/fd/${pipe}`);
    expect(stream.tasks).toBeNull();
    expect((await stream.source.read(5)).map(shown)).toEqual(["0 c"]);
    await stream.source.close();
    closeSync(pipe);
  });

  it("that is /dev/null is an empty list", async () => {
    const list = await open("/dev/null");
    expect(await all(list)).toEqual([]);
    expect([list.tasks, existsSync(path("spool"))]).toEqual([null, false]);
  });

  it("is kept under another name when its own is taken", async () => {
    writeFileSync(path("spool"), "of an earlier run");
    writeFileSync(path("spool_1"), "");
    expect(spawnSync("mkfifo", [path("pipe")]).status).toBe(0);
    const list = await open(path("pipe"));
    const writer = openSync(path("pipe"), constants.O_WRONLY);
    writeSync(writer, "a\n");
    closeSync(writer);
    expect(await all(list)).toEqual(["0 a"]);
    expect(list.spool?.path).toBe(path("spool_2"));
    expect(readFileSync(path("spool"), "utf8")).toBe("of an earlier run");
  });
});

describe("readPerEngine", () => {
  async function readOf(text: string, lenient = false) {
    writeFileSync(path("tasks"), text);
    const list = await open(path("tasks"), lenient);
    const { perEngine, first, notices } = await readPerEngine(list.source);
    await list.source.close();
    const commands = [...perEngine.start, ...perEngine.stop].map(
      ({ line, command }) => `${line} ${Buffer.from(command).toString()}`,
    );
    return { commands, starts: perEngine.start.length, first: first.map(shown), notices: notices.length };
  }

  it("takes the PERENGINE block off the top, and keeps what was read with it", async () => {
    expect(
      await readOf(
        "#DISBATCH PREFIX x;\n#DISBATCH PERENGINE STOP b\n# c\n#DISBATCH PERENGINE START a\nt\nu\n",
      ),
    ).toEqual({
      commands: ["4 x;a", "2 x;b"],
      starts: 1,
      first: ["0 x;t", "1 x;u"],
      notices: 0,
    });
  });

  it("finds nothing to run where there are only PERENGINE commands, comments, or no lines", async () => {
    for (const text of ["", "\n\n# x\n", "#DISBATCH PERENGINE START a\n"]) {
      expect((await readOf(text)).first).toEqual([]);
    }
  });

  it("hands notices of the top on", async () => {
    expect(await readOf("#DISBATCH FOO\nt\n", true)).toMatchObject({ first: ["0 t"], notices: 1 });
  });

  it("refuses a bad line at the top of a stream, with its number", async () => {
    expect(spawnSync("mkfifo", [path("pipe")]).status).toBe(0);
    const list = await open(path("pipe"));
    const writer = openSync(path("pipe"), constants.O_WRONLY);
    writeSync(writer, "\n#DISBATCH FOO\n");
    await expect(readPerEngine(list.source)).rejects.toThrow("pipe, line 2: ");
    closeSync(writer);
    await list.source.close();
  });
});

describe("verifyResume", () => {
  async function verify(list: string, retryFailed: boolean): Promise<string> {
    writeFileSync(path("s"), Buffer.concat([formatRow(row(0)), formatRow(row(1, { returnCode: 3 }))]));
    writeFileSync(path("tasks"), list);
    const opened = await open(path("tasks"));
    const files = await ResumeFiles.open([path("s")]);
    try {
      if (opened.reread === null) throw new Error("not a file");
      await verifyResume(opened.reread, { files, retryFailed, force: false });
      return "same";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    } finally {
      await files.close();
      await opened.source.close();
    }
  }

  it("has nothing against the same list, or one with more tasks", async () => {
    expect(await verify("echo 0\necho 1\n", false)).toBe("same");
    expect(await verify("echo 0\necho 1\necho new\n", false)).toBe("same");
  });

  it("finds the first task that is another one, in text, line or index", async () => {
    for (const [list, is] of [
      ["echo 0\necho one\n", "line 2: echo one"],
      ["echo 0\n\necho 1\n", "line 3: echo 1"],
      ["echo 0\n#DISBATCH REPEAT 1 echo 1\n", "line 2, repeat 0: echo 1"],
    ] as const) {
      const message = await verify(list, false);
      expect(message).toContain("Recovery status file task mismatch (use --force-resume to proceed anyway)");
      expect(message).toContain("task 1 was\n    line 2: echo 1\n");
      expect(message).toContain(is);
    }
  });

  it("lets a failed task that runs again have been mended, as disBatch does", async () => {
    expect(await verify("echo 0\necho mended\n", true)).toBe("same");
    expect(await verify("echo zero\necho 1\n", true)).toContain("task 0 was");
  });
});
