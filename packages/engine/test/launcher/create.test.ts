import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createLauncher } from "../../src/launcher/create.js";
import { LaunchError } from "../../src/launcher/launch-error.js";
import type { LaunchResult, Launcher, LauncherEvents } from "../../src/launcher/launcher.js";
import { NodeLauncher } from "../../src/launcher/node-launcher.js";
import { PerlLauncher } from "../../src/launcher/perl-launcher.js";
import { processesIn, until } from "./rig.js";

describe("which launcher is taken", () => {
  const ends: LaunchResult[] = [];
  const events: LauncherEvents = {
    onEnds: (more) => ends.push(...more),
    onRecalled: () => undefined,
    onFenced: () => undefined,
    onFailure: () => undefined,
  };
  let launcher: Launcher | null = null;
  let directory = "";
  afterEach(async () => {
    await launcher?.close();
    vi.unstubAllEnvs();
    ends.length = 0;
    if (directory !== "") rmSync(directory, { recursive: true, force: true });
  });

  it("perl where there is one", async () => {
    launcher = await createLauncher({ kind: "auto", events, cwd: "/" });
    expect(launcher).toBeInstanceOf(PerlLauncher);
  });

  it("node where there is none", async () => {
    directory = mkdtempSync(join(tmpdir(), "no-perl-"));
    symlinkSync("/usr/bin/mkfifo", join(directory, "mkfifo"));
    vi.stubEnv("PATH", directory);
    launcher = await createLauncher({ kind: "auto", events, cwd: "/" });
    expect(launcher).toBeInstanceOf(NodeLauncher);
    await launcher.start();
    launcher.launch({ tag: 1, command: Buffer.from("exit 3"), env: {} });
    expect((await until("the end", () => ends[0])).outcome).toEqual({ kind: "exited", code: 3 });
  });

  it("none where perl is asked for and there is none: the error says so", async () => {
    directory = mkdtempSync(join(tmpdir(), "no-perl-"));
    vi.stubEnv("PATH", directory);
    launcher = await createLauncher({ kind: "perl", events, cwd: "/" });
    await expect(launcher.start()).rejects.toThrow(LaunchError);
    await expect(launcher.start()).rejects.toThrow(/perl launcher cannot be started.*ENOENT/);
  });

  it.each([
    ["an unknown message", "\\0\\0\\0\\1?", "unknown message"],
    ["half a message", "\\0\\0\\0\\2E?", "cut short"],
    ["gigabytes", "\\377\\377\\377\\377E", "announced a message of 4294967295 bytes"],
  ])("one that sends %s is killed, and it is said", async (_, bytes, words) => {
    directory = mkdtempSync(join(tmpdir(), "odd-perl-"));
    const perl = join(directory, "perl");
    writeFileSync(perl, `#!/bin/sh\nprintf '${bytes}'; exec sleep 600\n`, { mode: 0o700 });
    vi.stubEnv("PATH", `${directory}:${process.env["PATH"]}`);
    launcher = await createLauncher({ kind: "perl", events, cwd: directory });
    await expect(launcher.start()).rejects.toThrow(words);
    expect(processesIn(directory)).toEqual([]);
  });

  it("a directory that does not exist is said", async () => {
    launcher = await createLauncher({ kind: "perl", events, cwd: "/no/such/directory" });
    await expect(launcher.start()).rejects.toThrow(/no\/such\/directory/);
  });

  it("closed while it starts, it starts nothing more", async () => {
    for (let round = 0; round < 5; round++) {
      directory = mkdtempSync(join(tmpdir(), "closed-early-"));
      vi.stubEnv("DIR", directory);
      launcher = await createLauncher({ kind: "perl", events, cwd: directory });
      const started = launcher.start().catch((error: unknown) => error);
      await launcher.close();
      expect(await started).toBeInstanceOf(LaunchError);
      expect(processesIn(directory)).toEqual([]);
      rmSync(directory, { recursive: true });
    }
  });

  it("noop ends everything at once, but not before launch returns", async () => {
    launcher = await createLauncher({ kind: "noop", events, cwd: "/" });
    await launcher.start();
    for (const tag of [1, 2, 3]) launcher.launch({ tag, command: Buffer.from("false"), env: {} });
    expect(ends).toEqual([]);
    await until("three ends", () => ends.length === 3);
    expect(ends.map(({ tag, outcome }) => [tag, outcome])).toEqual(
      [1, 2, 3].map((tag) => [tag, { kind: "exited", code: 0 }]),
    );
  });
});
