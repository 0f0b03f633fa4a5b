import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stopProcess } from "../../../kvs/test/stop-process.js";
import { compiledSpawner, kindsWithSpawner } from "./kinds.js";
import { Rig, dead, processesIn, until } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const succeeded = { kind: "exited", code: 0 };

/** The process that forks for a launcher, once it is what it is going to be. */
function spawnerOf({ launcher }: Rig): number {
  const { pid } = launcher;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  const spawner = children
    .split(" ")
    .filter(Boolean)
    .map(Number)
    .find((child) => readFileSync(`/proc/${child}/cmdline`, "latin1").startsWith("taskmuster-spawner"));
  if (spawner === undefined || spawner <= 1) throw new Error("no spawner");
  return spawner;
}

describe.each(kindsWithSpawner)("%s launcher: its spawner", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind, { slots: 100 });
    await rig.run("true");
  });
  afterEach(() => rig.close());

  it("is the one that was asked for", () => {
    const program = readlinkSync(`/proc/${spawnerOf(rig)}/exe`);
    if (kind === "compiled") expect(program).toBe(compiledSpawner());
    else expect(program).toMatch(/perl/);
  });

  it("killed: what runs goes on, and the next tasks are started without it", async () => {
    const before = await rig.ready("echo >$DIR/ready; until [ -e $DIR/go ]; do sleep 0.05; done; exit 5");
    const spawner = spawnerOf(rig);
    process.kill(spawner, "SIGKILL");
    // What it had been told before it died may have run, and counts as lost.
    await dead(spawner);
    const after = await rig.run("touch $DIR/go; exit 6");
    expect(after.outcome).toEqual({ kind: "exited", code: 6 });
    expect((await rig.ended(before)).outcome).toEqual({ kind: "exited", code: 5 });
    const tags = Array.from({ length: 20 }, (_, code) => rig.launch(`exit ${code}`));
    for (const [code, tag] of tags.entries())
      expect((await rig.ended(tag)).outcome).toEqual({ kind: "exited", code });
    expect((await rig.run("sleep 600 & sleep 0.3")).outcome).toEqual(succeeded);
    expect(rig.told).toHaveLength(24);
    for (const pid of processesIn(rig.directory)) process.kill(pid, "SIGKILL");
  });

  it.each(["KILL", "STOP"])(
    "%s while launches are on their way: each ends once, none runs on",
    async (signal) => {
      const spawner = spawnerOf(rig);
      const tags = Array.from({ length: 30 }, () => rig.launch("sleep 600"));
      process.kill(spawner, `SIG${signal}`);
      tags.push(...Array.from({ length: 30 }, () => rig.launch("sleep 600")));
      for (const tag of tags) rig.launcher.stop(tag, 0);
      for (const tag of tags)
        expect((await rig.ended(tag)).stopped || rig.results.get(tag)?.outcome.kind === "lost").toBe(true);
      expect(processesIn(rig.directory)).toEqual([]);
      expect((await rig.run("true")).outcome).toEqual(succeeded);
    },
  );

  it("that answers late is heard all the same, whatever it answers", async () => {
    const spawner = spawnerOf(rig);
    const limit = (most: number): void => {
      execFileSync("prlimit", ["--pid", String(spawner), `--nofile=${most}:4096`]);
    };
    for (const [most, outcome] of [
      [1024, { kind: "exited", code: 5 }],
      [4, { kind: "failedToStart", errno: 24 }],
    ] as const) {
      // Until it stands still it takes what comes, with the limit of before.
      await stopProcess(spawner);
      const tag = rig.launch("exit 5");
      // Too large for the spawner: this one runs, and for longer than a task counts as young.
      expect((await rig.run("sleep 0.2", { BIG: "x".repeat(100_000) })).outcome).toEqual(succeeded);
      expect(rig.results.has(tag)).toBe(false);
      limit(most);
      process.kill(spawner, "SIGCONT");
      expect((await rig.ended(tag)).outcome).toEqual(outcome);
    }
  });

  it("takes what is small, and leaves what is large to the launcher, up to the same end", async () => {
    // The limit, 65,536 bytes with what else is in a request, lies among these.
    const lengths = Array.from({ length: 300 }, (_, index) => 64_200 + index);
    const tags = lengths.map((length) =>
      rig.launch(`echo \${#BIG} #${"x".repeat(1000)}`, { BIG: "y".repeat(length) }),
    );
    for (const [index, tag] of tags.entries()) {
      const { outcome, out } = await rig.ended(tag);
      expect([outcome, text(out.snippet)]).toEqual([succeeded, `${lengths[index]}\n`]);
    }
  });

  it("takes as many variables as a request holds, and empty ones", async () => {
    const env = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`V${index}`, ""]));
    const result = await rig.run(
      'echo "${V0-unset}|${V4999-unset}|${V5000-unset}"; env | grep -c "^V[0-9]*=$"',
      env,
    );
    expect(text(result.out.snippet)).toBe("||unset\n5000\n");
  });

  it("replaces what we have, also when that is many, and nothing that only begins like it", async () => {
    const names = Object.keys(process.env).filter((name) => /^[A-Z_]+$/.test(name) && name !== "_");
    const replaced = names.filter((_, index) => index % 2 === 0 && names[index] !== "PATH");
    const env = {
      ...Object.fromEntries(replaced.map((name) => [name, `new ${name}`])),
      PAT: "1",
      PATHS: "2",
    };
    await rig.run("cat /proc/$$/environ >$DIR/environ", env);
    const found = rig.read("environ").toString().split("\0");
    for (const name of [...names, "PAT", "PATHS"]) {
      const own = found.filter((each) => each.startsWith(`${name}=`));
      // bash does not change what it has in /proc.
      const now: Readonly<Record<string, string | undefined>> = { ...process.env, ...env };
      expect(own).toEqual([`${name}=${now[name]}`]);
    }
  });
});

describe.each(kindsWithSpawner)("%s launcher: a slot whose task the spawner could not start", (kind) => {
  it("is free for the next one, which it starts when it can", async () => {
    const rig = await Rig.open(kind, { slots: 1 });
    try {
      await rig.run("true");
      const limit = (most: number): void => {
        execFileSync("prlimit", ["--pid", String(spawnerOf(rig)), `--nofile=${most}:4096`]);
      };
      limit(4);
      const tag = rig.launch("true");
      const next = rig.launch("exit 4");
      expect((await rig.ended(tag)).outcome).toEqual({ kind: "failedToStart", errno: 24 });
      limit(1024);
      expect((await rig.ended(next)).outcome).toEqual({ kind: "exited", code: 4 });
    } finally {
      await rig.close();
    }
  });
});

describe.runIf(kindsWithSpawner.includes("compiled"))("a compiled spawner that cannot be run here", () => {
  let directory = "";
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "it's a \\spawner-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([
    ["is not there", null, 0o755],
    ["is for another processor", Buffer.from("\x7fELF\x02\x01\x01 nothing that runs"), 0o755],
    ["may not be executed", readFileSync("/bin/true"), 0o644],
  ])("as it %s: perl's goes on, and nobody notices", async (_, program, mode) => {
    const path = join(directory, "spawner");
    if (program !== null) writeFileSync(path, program);
    if (program !== null) chmodSync(path, mode);
    const rig = await Rig.open("perl", { spawner: path, slots: 2 });
    try {
      expect((await rig.run("exit 3")).outcome).toEqual({ kind: "exited", code: 3 });
      expect(readlinkSync(`/proc/${spawnerOf(rig)}/exe`)).toMatch(/perl/);
    } finally {
      await rig.close();
    }
  });

  it("as it ends at once: tasks are started without it", async () => {
    const path = join(directory, "spawner");
    writeFileSync(path, readFileSync("/bin/true"), { mode: 0o755 });
    const rig = await Rig.open("perl", { spawner: path, slots: 2 });
    try {
      const tags = Array.from({ length: 20 }, (_, code) => rig.launch(`exit ${code}`));
      await until("all ends", () => rig.results.size === tags.length);
      const codes = tags.map((tag) => rig.results.get(tag)?.outcome);
      // What was on its way when it ended may be lost: nobody knows what became of it.
      for (const [code, outcome] of codes.entries())
        if (outcome?.kind !== "lost") expect(outcome).toEqual({ kind: "exited", code });
      expect((await rig.run("exit 3")).outcome).toEqual({ kind: "exited", code: 3 });
    } finally {
      await rig.close();
    }
  });
});
