import type { Remains } from "@taskmuster/driver";
import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../src/command-line.js";
import { type RecoverySettings, recoverySettings } from "../src/recovery-settings.js";
import { UsageError } from "../src/usage-error.js";

const began = [
  "-s",
  "localhost:4",
  "-c",
  "2",
  "-f",
  "--lease",
  "7",
  "--no-fsync",
  "-l",
  "mine",
  "-q",
  "lists/tasks",
];

function remains(args: readonly string[]): Remains {
  const run = {
    version: 1,
    runId: "r",
    at: "t",
    host: "login",
    pid: 42,
    cwd: "/w",
    taskFile: "lists/tasks",
    resumedFrom: [],
    setAside: null,
    ids: null,
    args,
    list: { kind: "file", path: "/w/lists/tasks", bytes: 1, sha256: "" },
  } as const;
  const driver = { host: "login", pid: 42, process: null, hostOnly: true, storeHost: "login" };
  return {
    files: {
      prefix: "/w/one",
      jobId: "one",
      status: "",
      ledger: "",
      spool: "",
      kvsInfo: "",
      driverLog: "",
      dbUtil: "",
    },
    run,
    section: {
      run,
      epochs: 1,
      drivers: [driver],
      storeEnded: false,
      isUnsettled: false,
      losses: [],
      returned: new Set(),
      retried: new Map(),
      window: null,
      end: null,
    },
    driver,
    address: null,
  };
}

function recover(
  args: readonly string[],
  before: readonly string[] = began,
  env: Readonly<Record<string, string>> = {},
): RecoverySettings {
  const line = parseCommandLine(["--recover", "one", ...args], "");
  if (line.kind === "print") throw new Error("it prints");
  return recoverySettings(line, remains(before), env, "vm", "/typed/here");
}

describe("recoverySettings", () => {
  it("are those of the run as it began, but for what is about the command", () => {
    const { settings, before, asksForContexts, taskFile } = recover([]);
    expect(settings).toMatchObject({
      list: { kind: "file", path: "/w/lists/tasks" },
      serves: false,
      context: { where: { kind: "hosts", hosts: [{ host: "localhost", cores: 4 }] }, cpusPerTask: 2 },
      failFast: true,
      leaseMs: 7_000,
      sync: false,
      quiet: false,
      notices: [],
    });
    expect(before).toEqual(settings);
    expect([asksForContexts, taskFile]).toEqual([false, "lists/tasks"]);
  });

  it("say what is other than before; what engines were told stays", () => {
    const { settings, before } = recover(["--max-losses", "9", "-c", "1", "--logfile", "log"]);
    expect(settings).toMatchObject({ maxLosses: 9, logFile: "/typed/here/log", context: { cpusPerTask: 1 } });
    expect(before.context.cpusPerTask).toBe(2);
    expect(settings.notices).toEqual([
      "other than before: --max-losses 9 (before: not given), --cpusPerTask 1 (before: 2), --logfile log (before: not given)",
    ]);
  });

  it("take contexts that are asked for in the place of those of before", () => {
    const added = recover(["-s", "other:2"]);
    expect(added.asksForContexts).toBe(true);
    expect(added.settings.context).toMatchObject({
      where: { kind: "hosts", hosts: [{ host: "other", cores: 2 }] },
      label: null,
    });
    const served = recover(["-S"]);
    expect(served.settings).toMatchObject({ serves: true, context: { where: { kind: "none" } } });
    const ran = recover(["-s", "localhost:1"], ["-S", "tasks"]);
    expect(ran.settings).toMatchObject({ serves: false, context: { where: { kind: "hosts" } } });
  });

  it("wait for contexts that others add where there was an allocation and is none", () => {
    const { settings } = recover([], ["--retire-cmd", "x", "tasks"]);
    expect(settings).toMatchObject({ serves: true, context: { where: { kind: "none" } } });
  });

  it("refuse what cannot be other than it was", () => {
    for (const [args, words] of [
      [["tasks2"], "so tasks2 cannot go with it"],
      [["-p", "two"], "--prefix cannot be given anew"],
      [["-r", "x_status.txt"], "--resume-from cannot be given anew"],
      [["--lease", "5"], "--lease cannot be given anew"],
      [["--kvsserver", "h:1"], "--kvsserver cannot be given anew"],
      [["--taskserver"], "--taskserver cannot be given anew"],
    ] as const) {
      expect(() => recover(args)).toThrow(UsageError);
      expect(() => recover(args)).toThrow(words);
    }
  });
});
