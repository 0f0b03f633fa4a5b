import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bin, until, usePlace } from "./harness.js";

const place = usePlace();

describe("driver -r", () => {
  it("skips what is done, with rows marked S, and runs the rest", async () => {
    place().write("tasks", "echo a >> log\nexit 3\necho b >> log\n");
    await place().run(["-s", "localhost:1", "-p", "one", "tasks"]);
    const { code, stdout } = await place().run([
      "-s",
      "localhost:1",
      "-p",
      "two",
      "-r",
      "one_status.txt",
      "-e",
      "tasks",
    ]);
    expect(place().read("log")).toBe("a\nb\n");
    expect(
      place()
        .rows("two")
        .map((row) => row.slice(0, 2)),
    ).toEqual([
      ["   S", "0"],
      ["R  S", "1"],
      ["   S", "2"],
    ]);
    expect(
      place()
        .rows("two")
        .map((row) => row.slice(4)),
    ).toEqual(
      place()
        .rows("one")
        .map((row) => row.slice(4)),
    );
    expect(stdout).toContain("3 skipped");
    expect(code).toBe(1);
  });

  it("runs failed tasks again with -R, and a resumed run's file is enough for the next", async () => {
    place().write("tasks", "echo a >> log\n[ -e ok ]\n");
    await place().run(["-s", "localhost:1", "-p", "one", "tasks"]);
    await place().run(["-s", "localhost:1", "-p", "two", "-R", "-r", "one_status.txt", "tasks"]);
    place().write("ok", "");
    const third = await place().run([
      "-s",
      "localhost:1",
      "-p",
      "three",
      "-eR",
      "-r",
      "two_status.txt",
      "tasks",
    ]);
    expect(third.code).toBe(0);
    expect(place().read("log")).toBe("a\n");
    const fourth = await place().run([
      "-s",
      "localhost:1",
      "-p",
      "four",
      "-eR",
      "-r",
      "one_status.txt",
      "-r",
      "three_status.txt",
      "tasks",
    ]);
    expect(fourth.code).toBe(0);
    expect(
      place()
        .rows("four")
        .map((row) => row[0]),
    ).toEqual(["   S", "   S"]);
  });

  it("refuses a status file of other tasks before anything runs; --force-resume goes on", async () => {
    place().write("tasks", "echo a >> log\necho b >> log\n");
    await place().run(["-s", "localhost:1", "-C", "1", "-p", "one", "tasks"]);
    place().write("others", "echo c >> log\necho d >> log\n");
    const { code, stderr } = await place().run([
      "-s",
      "localhost:1",
      "-p",
      "two",
      "-r",
      "one_status.txt",
      "others",
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain("Recovery status file task mismatch (use --force-resume to proceed anyway)");
    expect(stderr).toContain("echo a >> log");
    expect(stderr).toContain("echo c >> log");
    expect(
      place()
        .files()
        .filter((name) => name.startsWith("two")),
    ).toEqual([]);
    const forced = await place().run([
      "-s",
      "localhost:1",
      "-p",
      "two",
      "--force",
      "-r",
      "one_status.txt",
      "others",
    ]);
    expect(forced.code).toBe(0);
    expect(place().read("log")).toBe("a\nd\n");
  });

  it("refuses what is no status file, and passes over a torn last line", async () => {
    place().write("tasks", "echo a >> log\necho b >> log\n");
    place().write("novel", "Call me Ishmael.\n");
    const novel = await place().run(["-s", "localhost:1", "-r", "novel", "tasks"]);
    expect(novel.code).toBe(1);
    expect(novel.stderr).toContain("novel (-r) is not a status file");
    const missing = await place().run(["-s", "localhost:1", "-r", "missing", "tasks"]);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain("cannot read the status file missing (-r): no such file or directory");

    await place().run(["-s", "localhost:1", "-C", "1", "-p", "one", "tasks"]);
    appendFileSync(place().path("one_status.txt"), "    \t1\t2\t-1\tvm\t1");
    const torn = await place().run(["-s", "localhost:1", "-p", "two", "-r", "one_status.txt", "tasks"]);
    expect(torn.code).toBe(0);
    expect(torn.stderr).toContain("the last line is torn");
    expect(place().read("log")).toBe("a\nb\n");
  });

  it("from a run that was killed before it had taken over the rows of another runs none of those again", async () => {
    const tasks = Array.from({ length: 4 }, (_, id) => `echo ${id} >> log`);
    place().write("tasks", `${tasks.join("\n")}\nuntil [ -e go ]; do sleep 0.02; done\n`);
    for (const prefix of ["one", "two"]) {
      const from = prefix === "two" ? ["-r", "one_status.txt"] : [];
      const running = place().start(["-s", "localhost:1", "-p", prefix, ...from, "tasks"]);
      await until("four rows are written", () => {
        const file = place().path(`${prefix}_status.txt`);
        return existsSync(file) && readFileSync(file, "utf8").split("\n").length === 5;
      });
      running.kill("SIGTERM");
      await running.finished;
    }
    // As if it had been killed after its first row.
    const [first] = place().read("two_status.txt").split("\n");
    place().write("two_status.txt", `${first}\n`);
    const ledger = place().read("two_ledger").trimEnd().split("\n");
    place().write("two_ledger", `${ledger.filter((line) => !line.includes('"kind":"end"')).join("\n")}\n`);
    place().write("go", "");
    const third = await place().run(["-s", "localhost:1", "-p", "three", "-r", "two_status.txt", "tasks"]);
    expect([third.code, place().read("log")]).toEqual([0, "0\n1\n2\n3\n"]);
    expect(third.stderr).toContain("went on from ");
    expect(third.stdout).toContain("4 skipped");
  });

  it("into its own prefix truncates nothing: the old file is set aside", async () => {
    place().write("tasks", "echo a\necho b\n");
    await place().run(["-s", "localhost:1", "-C", "1", "-p", "one", "tasks"]);
    const before = place().read("one_status.txt");
    const again = await place().run(["-s", "localhost:1", "-p", "one", "tasks"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("exists already, and a status file is never overwritten");
    expect(place().read("one_status.txt")).toBe(before);
    const resumed = await place().run(["-s", "localhost:1", "-p", "one", "-r", "one_status.txt", "tasks"]);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain("one_status_1.txt");
    expect(place().read("one_status_1.txt")).toBe(before);
    expect(
      place()
        .rows("one")
        .map((row) => row[0]),
    ).toEqual([" O S", " O  "]);
  });

  it("tells the command that goes on, and that command goes on", async () => {
    place().write("tasks", "echo a >> log\nexit 1\n[ -e fixed ] || sleep 60\necho d >> log\n");
    const first = await place().run(["-s", "localhost:1", "-f", "tasks"]);
    expect(first.code).toBe(1);
    const command = /^To go on: driver (.*)$/m.exec(first.stdout)?.[1] ?? "";
    place().write("fixed", "");
    const second = await place().shell(`"$BIN" ${command.replace(" -f ", " ")}`, { env: { BIN: bin } })
      .finished;
    expect(second.code).toBe(0);
    expect(place().read("log")).toBe("a\nd\n");
  });
});
