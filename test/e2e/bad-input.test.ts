import { chmodSync, mkdirSync, statSync, truncateSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bin, until, usePlace } from "./harness.js";

const place = usePlace();
const isRoot = process.getuid?.() === 0;

/** Runs and expects a refusal: exit status, words on stderr, and no new file. */
async function refused(args: readonly string[], code: number, ...words: readonly string[]): Promise<void> {
  const before = place().files();
  const finished = await place().run(args);
  for (const word of words) expect(finished.stderr).toContain(word);
  expect({ args, code: finished.code, stdout: finished.stdout }).toEqual({ args, code, stdout: "" });
  expect(finished.stderr).not.toMatch(/\n\s+at /);
  expect(place().files()).toEqual(before);
}

describe("odd input works", () => {
  it("CRLF line ends, said once", async () => {
    place().write("tasks", "echo a > a\r\n\r\n# c\r\n#DISBATCH PREFIX true; \r\necho b > b\r\n");
    const { code, stderr } = await place().run(["-s", "localhost:2", "-e", "tasks"]);
    expect(code).toBe(0);
    expect(stderr.match(/CR/g)?.length ?? 0).toBeGreaterThanOrEqual(1);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(place().files()).toEqual(expect.arrayContaining(["a", "b"]));
  });

  it("bytes that are no UTF-8 reach the shell and the status file", async () => {
    place().write("tasks", Buffer.from("printf %s 'caf\xe9\xff' > out\n", "latin1"));
    expect((await place().run(["-s", "localhost:1", "-p", "x", "tasks"])).code).toBe(0);
    const { readFileSync } = await import("node:fs");
    expect(readFileSync(place().path("out"))).toEqual(Buffer.from("caf\xe9\xff", "latin1"));
    expect(place().rows("x")[0]?.[14]).toBe("b\"printf %s 'caf\\xe9\\xff' > out\"");
  });

  it("a line of 100 kB, and one that is longer than the kernel takes", async () => {
    const long = `: ${"x".repeat(100_000)}; echo $(( 6 * 7 )) > long`;
    place().write("tasks", `${long}\n: ${"y".repeat(131_072)}\necho after > after\n`);
    const { code, stdout } = await place().run(["-s", "localhost:1", "-p", "x", "tasks"]);
    expect(code).toBe(0);
    expect(place().read("long")).toBe("42\n");
    expect(place().files()).toContain("after");
    const rows = place().rows("x");
    expect(rows.map((row) => row[6])).toEqual(["0", "7", "0"]);
    expect(rows[1]?.[5]).toBe("-1");
    expect(rows[1]?.[13]).toContain("Argument list too long");
    expect(stdout).toContain("1 failed");
  });

  it("a flood of output is counted and never stored", async () => {
    place().write("tasks", "head -c 200000000 /dev/zero\nhead -c 150000000 /dev/zero >&2\n");
    expect((await place().run(["-s", "localhost:2", "-p", "x", "tasks"])).code).toBe(0);
    const rows = place()
      .rows("x")
      .toSorted((a, b) => Number(a[1]) - Number(b[1]));
    expect(rows.map((row) => [row[10], row[12]])).toEqual([
      ["200000000", "0"],
      ["0", "150000000"],
    ]);
    for (const name of place().files()) expect(statSync(place().path(name)).size).toBeLessThan(100_000);
  });
});

describe("bad input is refused with a clear word", () => {
  it("task files that cannot be read", async () => {
    await refused(
      ["-s", "localhost:1", "missing"],
      2,
      "cannot read the task file missing: no such file or directory",
    );
    mkdirSync(place().path("dir"));
    await refused(["-s", "localhost:1", "dir"], 2, "the task file dir is a directory");
    await refused(["-s", "localhost:1"], 2, "no task file");
    if (isRoot) return;
    place().write("secret", "true\n");
    chmodSync(place().path("secret"), 0);
    await refused(["-s", "localhost:1", "secret"], 2, "permission denied");
  });

  it("what is no list: a device that never ends, a file with a hole", async () => {
    const { code, stderr } = await place().run(["-s", "localhost:1", "-p", "x", "/dev/zero"]);
    expect(code).toBe(1);
    expect(stderr).toContain("line 1: the line that begins with");
    expect(stderr).toContain("Is this a list of commands?");
    place().write("hole", "true\n");
    truncateSync(place().path("hole"), 50 * 1024 * 1024 * 1024);
    await refused(["-s", "localhost:1", "-p", "x", "hole"], 1, "line 2", "Is this a list of commands?");
  });

  it("files of a run that are none: pipes, directories, huge ones", async () => {
    place().write("tasks", "true\n");
    await place().shell("mkfifo x_status.txt y_kvsinfo.txt w_ledger; chmod 600 y_kvsinfo.txt; mkdir z_ledger")
      .finished;
    await refused(
      ["-s", "localhost:1", "-r", "x_status.txt", "tasks"],
      1,
      "x_status.txt (-r): it is not a regular file",
    );
    const dbutil = bin.replace(/driver$/, "dbutil");
    const status = await place().command(dbutil, ["status", "y"]).finished;
    expect(status).toMatchObject({ code: 1, stdout: "" });
    expect(status.stderr).toContain("y_kvsinfo.txt is not an address file: it is no regular file");
    await refused(
      ["-s", "localhost:1", "-p", "z", "tasks"],
      1,
      "cannot write",
      "z_ledger",
      "it is a directory",
    );
    await refused(["-s", "localhost:1", "-p", "w", "tasks"], 1, "cannot write", "w_ledger");
  });

  it("directives, with line number and text, before any task starts", async () => {
    for (const [line, word] of [
      ["#DISBATCH FOO bar", "FOO bar"],
      ["#DISBATCH barrier", "barrier"],
      ["#DISBATCH REPEAT x", "REPEAT x"],
      ["#DISBATCH PERENGINE START true", "PERENGINE"],
      ["#DISBATCH perengine start true", "perengine start"],
      ["#DISBATCH  BARRIER", "BARRIER"],
    ]) {
      place().write("tasks", `touch ran\n\n${line}\n`);
      await refused(["-s", "localhost:1", "tasks"], 1, "line 3", word ?? "");
    }
  });

  it("directives in a stream, when they are met, after what runs has ended", async () => {
    const { code, stderr, stdout } = await place().run(["-s", "localhost:1", "-p", "x", "-"], {
      input: "sleep 0.2; touch ran\n#DISBATCH FOO\ntouch never\n",
    });
    expect(code).toBe(1);
    expect(stdout + stderr).toContain("line 2");
    expect(place().files()).toContain("ran");
    expect(place().files()).not.toContain("never");
    expect(place().rows("x")).toHaveLength(1);
  });

  it("--lenient does as disBatch does, and says so", async () => {
    place().write("tasks", "touch a\n#DISBATCH FOO\ntouch b\n#DISBATCH PERENGINE START true\ntouch c\n");
    const { code, stderr } = await place().run(["-s", "localhost:1", "--lenient", "tasks"]);
    expect(code).toBe(0);
    expect(stderr).toContain("line 2");
    expect(stderr).toContain("line 4");
    expect(place().files()).toEqual(expect.arrayContaining(["a", "b"]));
    expect(place().files()).not.toContain("c");
  });

  it("hosts and counts", async () => {
    place().write("tasks", "true\n");
    await refused(["tasks"], 2, "Cannot determine batch execution environment", "-s localhost:4");
    for (const bad of [
      "localhost",
      "localhost:",
      "localhost:0",
      "localhost:x",
      "localhost:-1",
      ":4",
      ",",
      "a b:3",
    ]) {
      await refused(["-s", bad, "tasks"], 2, "-s");
    }
    await refused(["-s", "localhost:1", "-c", "2", "tasks"], 2, "not one task of 2 cores fits");
    await refused(["-s", "localhost:1", "-c", "zero", "tasks"], 2, "-c");
    await refused(["-s", "localhost:1", "-t", "0", "tasks"], 2, "-t");
    await refused(["-s", "localhost:1", "-C", "-3", "tasks"], 2, "-C");
  });

  it("options: unknown, ambiguous, contradictory", async () => {
    place().write("tasks", "true\n");
    await refused(["-s", "localhost:1", "--bogus", "tasks"], 2, "--bogus");
    await refused(["-s", "localhost:1", "-Z", "tasks"], 2, "-Z");
    await refused(["-s", "localhost:1", "--log", "x", "tasks"], 2, "ambiguous option: --log");
    await refused(["-S", "-s", "localhost:1", "tasks"], 2, "-S starts no engines, so -s cannot go with it");
    await refused(["--mailFreq", "3", "-s", "localhost:1", "tasks"], 2, "--mailFreq", "add --mailTo");
    await refused(["--taskcommand", "x", "-s", "localhost:1", "tasks"], 2, "exclude each other");
    await refused(["--use-address", "a b", "-s", "localhost:1", "tasks"], 2, "--use-address");
    await refused(["-s", "localhost:1", "--loglevel", "LOUD", "tasks"], 2, "LOUD", "WARNING");
  });

  it("prefixes", async () => {
    place().write("tasks", "true\n");
    await refused(["-s", "localhost:1", "-p", "no/such/x", "tasks"], 1, "does not exist");
    await refused(["-s", "localhost:1", "-p", "", "tasks"], 1, "-p is empty");
    await refused(["-s", "localhost:1", "-p", "nodir/", "tasks"], 1, "does not exist");
    place().write("x_status.txt", "");
    await refused(["-s", "localhost:1", "-p", "x", "tasks"], 1, "x_status.txt exists already");
  });

  it("a second driver on the same prefix", async () => {
    place().write("tasks", "touch up; until [ -e go ]; do sleep 0.05; done\n");
    const first = place().start(["-s", "localhost:1", "-p", "one", "tasks"]);
    await until("the first is at work", () => place().files().includes("up"));
    const second = await place().run(["-s", "localhost:1", "-p", "one", "-r", "one_status.txt", "tasks"]);
    expect(second.code).toBe(1);
    expect(second.stderr).toContain("are at work on");
    place().write("go", "");
    expect((await first.finished).code).toBe(0);
    expect(place().rows("one")).toHaveLength(1);
  });

  it("a place that cannot be written", async () => {
    place().write("tasks", "true\n");
    await refused(["-s", "localhost:1", "-p", "/proc/x", "tasks"], 1, "cannot");
  });

  it("says what is wrong as JSON too, with --json", async () => {
    const { code, stdout } = await place().run(["-s", "localhost:1", "--json", "missing"]);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ reason: "error", code: "E_USAGE" });
  });

  it("no Redis server anywhere: what to do", async () => {
    place().write("tasks", "true\n");
    const { code, stderr } = await place().shell(
      // Only what the wrapper itself needs is on PATH.
      'mkdir bin; ln -s "$(command -v node)" "$(command -v readlink)" "$(command -v env)" bin; PATH="$PWD/bin" HOME="$PWD" "$BIN" -s localhost:1 tasks',
      { env: { BIN: bin } },
    ).finished;
    expect(code).toBe(1);
    for (const word of ["apt-get install redis-server", "dbutil build-redis", "--kvsserver"])
      expect(stderr).toContain(word);
    expect(place().files().toSorted()).toEqual(["bin", "tasks"]);
  });
});
