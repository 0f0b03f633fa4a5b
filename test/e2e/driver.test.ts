import { chmodSync, existsSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { bin, until, usePlace } from "./harness.js";

const place = usePlace();

describe("driver -s localhost:N tasks", () => {
  it("runs every line in a fresh shell and writes one row for each", async () => {
    place().write("tasks", 'echo one > 1.out\nx=5\necho "x=$x" > 3.out\nfalse\nkill -9 $$\n');
    const { code, stdout, stderr } = await place().run(["-s", "localhost:2", "tasks"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(place().read("1.out")).toBe("one\n");
    expect(place().read("3.out")).toBe("x=\n");
    const rows = place().rows();
    expect(
      rows.map((row) => [Number(row[1]), Number(row[6])]).toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0)),
    ).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 1],
      [4, -9],
    ]);
    for (const row of rows) expect(row[4]).toBe(hostname());
    expect(stdout).toContain("5 done, 2 failed");
    expect(stdout).toContain("line 4: exit 1  false");
    expect(stdout).toContain("signal 9 (KILL)");
    expect(stdout).toContain(place().fileEnding("_status.txt"));
  });

  it("runs as many at a time as there are slots, and no more", async () => {
    // Each task waits until three others have been seen beside it, so this ends only if four run at once.
    place().write(
      "tasks",
      Array.from(
        { length: 8 },
        (_, i) => `touch s${i}; until [ $(ls s* | wc -l) -ge 4 ]; do sleep 0.01; done; ls s* | wc -l`,
      ).join("\n"),
    );
    expect((await place().run(["-s", "localhost:4", "tasks"])).code).toBe(0);
    const rows = place().rows();
    expect(rows).toHaveLength(8);
    const spans = rows.map((row) => ({ start: Number(row[8]), end: Number(row[9]) }));
    for (const { start } of spans) {
      const beside = spans.filter((other) => other.start <= start && other.end > start + 0.002);
      expect(beside.length).toBeLessThanOrEqual(4);
    }
  });

  it("gives each task its DISBATCH_ variables, and of ours what its processes are found by", async () => {
    place().write("tasks", "# a comment\n\nenv > env.out\n#DISBATCH REPEAT 1 start 7 env > repeat.out\n");
    await place().run(["-s", "localhost:5", "-c", "2", "-p", "run", "tasks"], { env: { MINE: "yes" } });
    const env = new Map(
      place()
        .read("env.out")
        .split("\n")
        .map((line) => line.split("=", 2) as [string, string]),
    );
    const own = [...env].filter(([name]) => name.startsWith("DISBATCH_"));
    expect(Object.fromEntries(own)).toEqual({
      DISBATCH_CORES_PER_TASK: "2",
      DISBATCH_CYLINDER_RANK: expect.stringMatching(/^[01]$/),
      DISBATCH_ENGINE_RANK: "0",
      DISBATCH_JOBID: "run",
      DISBATCH_NAMETASKS: "tasks",
      DISBATCH_REPEAT_INDEX: "-1",
      DISBATCH_REPEAT_INDEX_ZP: "-00001",
      DISBATCH_STREAM_INDEX: "3",
      DISBATCH_STREAM_INDEX_ZP: "000003",
      DISBATCH_TASKID: "0",
      DISBATCH_TASKID_ZP: "000000",
    });
    expect(env.get("MINE")).toBe("yes");
    expect([...env.keys()].filter((name) => name.startsWith("TASKMUSTER_")).toSorted()).toEqual([
      "TASKMUSTER_RUN",
      "TASKMUSTER_TASK",
    ]);
    expect(env.get("TASKMUSTER_RUN")).toBe(place().path("run"));
    expect(place().read("repeat.out")).toContain("DISBATCH_REPEAT_INDEX_ZP=000007\n");
  });

  it("passes a barrier when all before it has ended, and not sooner", async () => {
    place().write(
      "tasks",
      "sleep 0.3; touch a\ntouch b\n#DISBATCH BARRIER\n[ -e a ] && [ -e b ] && touch both\n",
    );
    expect((await place().run(["-s", "localhost:4", "-e", "tasks"])).code).toBe(0);
    expect(place().files()).toContain("both");
    expect(
      place()
        .rows()
        .map((row) => row[0]),
    ).toEqual(["    ", "    ", "B    ", "    "]);
  });

  it("runs PERENGINE commands around all tasks, and records them", async () => {
    place().write(
      "tasks",
      "#DISBATCH PERENGINE START echo start >> log\n#DISBATCH PERENGINE STOP echo stop >> log\necho task >> log\necho task >> log\n",
    );
    expect((await place().run(["-s", "localhost:2", "tasks"])).code).toBe(0);
    expect(place().read("log")).toBe("start\ntask\ntask\nstop\n");
    expect(
      place()
        .rows()
        .map((row) => [row[0], row[1]]),
    ).toEqual([
      ["   P", "0"],
      ["    ", expect.anything()],
      ["    ", expect.anything()],
      ["   P", "0"],
    ]);
  });

  it("does not wait for a child that a task leaves behind", async () => {
    place().write("tasks", "sleep 600 & echo $! > child\n");
    expect((await place().run(["-s", "localhost:1", "tasks"])).code).toBe(0);
    const child = place().pidOf("sleep 600");
    expect(Number(place().read("child"))).toBe(child);
    process.kill(child, "SIGKILL");
  });

  it("works with names that a shell would trip over, and with a task file in a directory that is not ours", async () => {
    const dir = place().path("a b'c\"$(touch pwned)\nd");
    await place().shell(
      `mkdir "$D" && printf 'echo "$DISBATCH_NAMETASKS" > name.out\\n' > "$D/t's k\n\\$(touch pwned)" && chmod 555 "$D"`,
      {
        env: { D: dir },
      },
    ).finished;
    const { code, stderr } = await place().run(["-s", "localhost:1", `${dir}/t's k\n$(touch pwned)`]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(place().read("name.out")).toBe("t's k\n$(touch pwned)\n");
    expect(place().files()).not.toContain("pwned");
    chmodSync(dir, 0o755);
  });

  it("leaves only files that are private to the user", async () => {
    place().write("tasks", "true\n");
    await place().shell('umask 000; "$BIN" -s localhost:1 tasks', {
      env: { BIN: bin },
    }).finished;
    const made = place()
      .files()
      .filter((name) => name.includes("_disBatch_"));
    expect(made.length).toBeGreaterThanOrEqual(3);
    for (const name of made) expect([name, statSync(place().path(name)).mode & 0o077]).toEqual([name, 0]);
  });

  it("removes the address of a store that is gone", async () => {
    place().write("tasks", "ls *_kvsinfo.txt > seen\n");
    await place().run(["-s", "localhost:1", "tasks"]);
    expect(place().read("seen")).toMatch(/_kvsinfo\.txt\n$/);
    expect(
      place()
        .files()
        .filter((name) => name.endsWith("_kvsinfo.txt")),
    ).toEqual([]);
  });

  it("says nothing with --quiet, and one JSON value with --json", async () => {
    place().write("tasks", "true\necho oh no >&2; exit 3\n");
    expect(await place().run(["-s", "localhost:2", "--quiet", "tasks"])).toEqual({
      code: 0,
      stdout: "",
      stderr: "",
    });
    const { stdout, stderr } = await place().run(["-s", "localhost:2", "--json", "-p", "json", "tasks"]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({
      reason: "finished",
      tasks: 2,
      done: 2,
      failed: 1,
      skipped: 0,
      left: 0,
      slots: 2,
      statusFile: place().path("json_status.txt"),
      resume: null,
      failures: [{ id: 1, line: 2, returnCode: 3, lastWords: "oh no\n" }],
    });
  });

  it("writes plain lines where there is no terminal", async () => {
    place().write("tasks", "true\n");
    const { stdout } = await place().run(["-s", "localhost:1", "tasks"]);
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(stdout).not.toMatch(/[\u001b\r]/);
    expect(stdout).toMatch(/^1 task on 1 slot\nstatus file {2}\//);
  });

  it("writes a header when asked", async () => {
    place().write("tasks", "true\n");
    await place().run(["-s", "localhost:1", "--status-header", "-p", "h", "tasks"]);
    expect(place().read("h_status.txt").split("\n")[0]).toBe(
      "ROE[ PSZ]\tTaskID\tLineNum\tRepeatIndex\tNode\tPID\tReturnCode\tElapsed\tStart\tFinish\tBytesOfLeakedOutput\tOutputSnippet\tBytesOfLeakedError\tErrorSnippet\tCommand",
    );
  });

  it("takes the hosts from DISBATCH_SSH_NODELIST too", async () => {
    place().write("tasks", "true\n");
    const { stdout } = await place().run(["tasks"], {
      env: { DISBATCH_SSH_NODELIST: `localhost:1, ${hostname()}:2` },
    });
    expect(stdout).toContain("1 task on 3 slots");
  });

  it("stops after exactly -C tasks and says what is left", async () => {
    place().write("tasks", "echo x >> ran\n".repeat(20));
    const { code, stdout } = await place().run(["-s", "localhost:4", "-C", "7", "tasks"]);
    expect(place().read("ran")).toBe("x\n".repeat(7));
    expect(code).toBe(1);
    expect(stdout).toContain("13 not done");
    expect(stdout).toContain("(-C)");
  });

  it("exits with 1 for a failed task only with -e", async () => {
    place().write("tasks", "false\n");
    expect((await place().run(["-s", "localhost:1", "tasks"])).code).toBe(0);
    expect((await place().run(["-s", "localhost:1", "-e", "-p", "e", "tasks"])).code).toBe(1);
  });

  it("has nothing to do for an empty list", async () => {
    for (const [name, content] of [
      ["empty", ""],
      ["blank", "\n".repeat(10_000)],
      ["comments", "# only\n  # words\n"],
    ]) {
      place().write(name ?? "", content ?? "");
      expect(await place().run(["-s", "localhost:1", name ?? ""])).toEqual({
        code: 0,
        stdout: "",
        stderr: "No tasks to run.\n",
      });
    }
    expect(place().files().toSorted()).toEqual(["blank", "comments", "empty"]);
  });

  it("starts tasks of a stream while lines still arrive", async () => {
    const running = place().start(["-s", "localhost:1", "-"]);
    running.child.stdin?.write("echo one > one\n");
    await until("the first task ran", () => existsSync(place().path("one")));
    running.child.stdin?.end("echo two > two\n");
    expect((await running.finished).code).toBe(0);
    expect(place().files()).toContain("two");
    expect(place().read(place().fileEnding("_tasks"))).toBe("echo one > one\necho two > two\n");
    expect(
      place()
        .files()
        .some((name) => name.startsWith("stdin_disBatch_")),
    ).toBe(true);
  });

  it("takes pipes by name as streams", async () => {
    const { code } = await place().shell('"$BIN" -s localhost:1 <(echo "touch one"; echo "touch two")', {
      env: { BIN: bin },
    }).finished;
    expect(code).toBe(0);
    expect(place().files()).toEqual(expect.arrayContaining(["one", "two"]));
  });

  it("runs a list of a million lines without reading it all first", async () => {
    place().write(
      "tasks",
      Buffer.concat([Buffer.from("touch first; exit 1\n"), Buffer.alloc(5 * 1_000_000, "true\n")]),
    );
    const { code, stdout } = await place().run(["-s", "localhost:1", "--fail-fast", "tasks"]);
    expect(code).toBe(1);
    expect(place().files()).toContain("first");
    expect(stdout).toContain("Quitting early due to task failure with --fail-fast");
  });
});
