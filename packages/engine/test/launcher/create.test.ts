import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
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
