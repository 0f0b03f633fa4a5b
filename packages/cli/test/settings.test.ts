import { describe, expect, it } from "vitest";
import { parseCommandLine } from "../src/command-line.js";
import { type Settings, settingsOf } from "../src/settings.js";
import { UsageError } from "../src/usage-error.js";

type Env = Readonly<Record<string, string>>;

function settings(args: readonly string[], env: Env = {}): Settings {
  const parsed = parseCommandLine([...args, "tasks"], "");
  if (parsed.kind === "print") throw new Error("it prints");
  return settingsOf(parsed.taskFile, parsed.options, env, "vm.example.org");
}

/** With a place to run. */
const here = (...args: readonly string[]): Settings => settings(["-s", "localhost:4", ...args]);

describe("settingsOf", () => {
  it("has a default for everything but where to run", () => {
    expect(here()).toEqual({
      list: { kind: "file", path: "tasks" },
      prefix: ".",
      serves: false,
      context: {
        where: { kind: "hosts", hosts: [{ host: "localhost", cores: 4 }] },
        cpusPerTask: null,
        tasksPerNode: null,
        envResources: [],
        idleTimeoutMs: null,
        fill: false,
        taskLimit: null,
        label: null,
        retire: { kind: "default" },
      },
      startMustSucceed: false,
      resumeFrom: [],
      retry: false,
      forceResume: false,
      exitCode: false,
      failFast: false,
      statusHeader: false,
      logFile: null,
      logLevel: "info",
      kvsServer: null,
      kvsCa: null,
      useAddress: null,
      mail: null,
      embedded: false,
      quiet: false,
      json: false,
      lenient: false,
      graceMs: 3000,
      leaseMs: 300_000,
      maxLosses: 5,
      policy: { retries: 0, retryDelayMs: 1000, timeoutMs: null },
      drainsFailing: true,
      sync: true,
      launcher: "auto",
      notices: [],
    });
  });

  it("takes what becomes of tasks that fail, hang or are lost", () => {
    const given = ["--retries", "3", "--retry-delay", "1m", "--timeout", "1.5h", "--max-losses", "0"];
    expect(here(...given)).toMatchObject({
      maxLosses: 0,
      policy: { retries: 3, retryDelayMs: 60_000, timeoutMs: 5_400_000 },
    });
  });

  it("takes every option", () => {
    const flags = [
      "-R",
      "--force-resume",
      "-e",
      "-f",
      "--status-header",
      "-q",
      "--json",
      "--lenient",
      "--no-fsync",
      "--no-drain-failing",
      "--fill",
      "--start-must-succeed",
      "-c2",
      "-t3",
      "-E",
      "A,B",
      "-EC",
      "--idle-timeout",
      "1.5",
      "--retire-cmd",
      "free $NODE",
      "--mailTo",
      "ann@example.org",
      "--mailFreq",
      "10",
    ];
    const values = [
      "-p",
      "out/x",
      "-C",
      "7",
      "-l",
      "lab",
      "-r",
      "a",
      "-r",
      "b",
      "--logfile",
      "log",
      "--loglevel",
      "WARNING",
    ];
    const ours = [
      "--grace",
      "0.5",
      "--lease",
      "10",
      "--max-losses",
      "0",
      "--launcher",
      "noop",
      "--kvsserver",
      "h:1",
    ];
    expect(here(...flags, ...values, ...ours)).toMatchObject({
      prefix: "out/x",
      context: {
        taskLimit: 7,
        label: "lab",
        cpusPerTask: 2,
        tasksPerNode: 3,
        envResources: ["A", "B", "C"],
        idleTimeoutMs: 1500,
        fill: true,
        retire: { kind: "command", command: "free $NODE" },
      },
      startMustSucceed: true,
      mail: { to: "ann@example.org", every: 10 },
      resumeFrom: ["a", "b"],
      retry: true,
      forceResume: true,
      exitCode: true,
      failFast: true,
      statusHeader: true,
      logFile: "log",
      logLevel: "warn",
      kvsServer: "h:1",
      quiet: true,
      json: true,
      lenient: true,
      drainsFailing: false,
      graceMs: 500,
      leaseMs: 10_000,
      maxLosses: 0,
      sync: false,
      launcher: "noop",
    });
    expect(here("-C", "0").context.taskLimit).toBeNull();
  });

  it("never asks an engine for a fraction of a millisecond, nor a timer for more than it can wait", () => {
    for (const seconds of ["1.1", "0.0004", "8.2", "1.0005"]) {
      expect(Number.isInteger(here("--grace", seconds).graceMs)).toBe(true);
    }
    expect(here("--grace", "0").graceMs).toBe(0);
    for (const flag of ["--grace", "--lease"]) {
      expect(here(flag, "604800")).toBeDefined();
      expect(() => here(flag, "604801")).toThrow(`${flag} "604801": must be a number of seconds from`);
    }
  });

  it("knows where to run: by -s, else the allocation, else the environment, else not at all", () => {
    const where = (args: readonly string[], env: Env) => settings(args, env).context.where;
    const hosts = [
      { host: "localhost", cores: 1 },
      { host: "vm", cores: 2 },
    ];
    const list = { DISBATCH_SSH_NODELIST: " localhost:1 ,, vm:2" };
    expect(where([], list)).toEqual({ kind: "hosts", hosts });
    expect(where(["-s", "vm:1"], list)).toEqual({ kind: "hosts", hosts: [{ host: "vm", cores: 1 }] });
    for (const job of [{ SLURM_JOBID: "77" }, { SLURM_JOB_ID: "77" }]) {
      expect(where([], { ...job, ...list })).toEqual({ kind: "slurm" });
      expect(where(["-s", "vm:1"], job).kind).toBe("hosts");
      expect(where(["-S"], job)).toEqual({ kind: "none" });
    }
    expect(() => settings([], { DISBATCH_SSH_NODELIST: "vm" })).toThrow(
      'DISBATCH_SSH_NODELIST: "vm": there is no count',
    );
    expect(() => settings([], { DISBATCH_SSH_NODELIST: "" })).toThrow("DISBATCH_SSH_NODELIST");
  });

  it("with -S starts nothing itself", () => {
    expect(settings(["-S"])).toMatchObject({ serves: true, context: { where: { kind: "none" } } });
    expect(settings(["-S", "-c", "2", "-E", "X"]).context).toMatchObject({
      cpusPerTask: 2,
      envResources: ["X"],
    });
  });

  it("knows three places for tasks to come from, one at a time", () => {
    const list = (...args: readonly string[]) => {
      const parsed = parseCommandLine(["-s", "vm:1", ...args], "");
      if (parsed.kind === "print") throw new Error("it prints");
      return settingsOf(parsed.taskFile, parsed.options, {}, "vm").list;
    };
    expect(list("tasks")).toEqual({ kind: "file", path: "tasks" });
    expect(list("--taskcommand", "gen 3")).toEqual({ kind: "command", command: "gen 3" });
    expect(list("--taskserver")).toEqual({ kind: "server", address: null });
    expect(list("--taskserver", "h:1")).toEqual({ kind: "server", address: "h:1" });
    expect(() => list()).toThrow("no task file");
    expect(() => list("--taskcommand", "gen", "tasks")).toThrow("exclude each other");
  });

  it("says what -g and -w do here", () => {
    const { notices } = here("-g", "-w");
    expect(notices).toEqual([
      expect.stringContaining("-g is not needed"),
      expect.stringContaining("dbutil --mon"),
    ]);
  });

  it("never retires nodes when told so", () => {
    for (const args of [["--no-retire"], ["--retire-cmd", ""]]) {
      expect(here(...args).context.retire).toEqual({ kind: "never" });
    }
  });

  it("takes --kvsserver without a value from the environment", () => {
    const env = { TASKMUSTER_KVSSERVER: "redis://h" };
    expect(settings(["-s", "vm:1", "--kvsserver", "-e"], env).kvsServer).toBe("redis://h");
    expect(settings(["-s", "vm:1"], env).kvsServer).toBeNull();
    for (const without of [{}, { TASKMUSTER_KVSSERVER: "" }]) {
      expect(() => settings(["-s", "vm:1", "--kvsserver", "-e"], without)).toThrow(
        "--kvsserver without a value",
      );
    }
  });

  it.each([
    [[], "Cannot determine batch execution environment. Say where to run: -s localhost:4"],
    [["-s", "localhost"], '-s: "localhost": there is no count'],
    [["-s", "localhost:0"], '-s: "localhost:0": the count must be'],
    [["-s", ","], "-s: "],
    [["-s", "localhost:1", "-c", "0"], '-c "0": must be a number above 0'],
    [["-s", "localhost:1", "-c", "-1"], '-c "-1"'],
    [["-s", "localhost:1", "-c", ""], '-c ""'],
    [["-s", "localhost:1", "-c", "NaN"], '-c "NaN"'],
    [["-s", "localhost:1", "-c", "Infinity"], '-c "Infinity"'],
    [["-s", "localhost:1", "-t", "0"], '-t "0": must be a whole number, 1 or more'],
    [["-s", "localhost:1", "-t", "1.5"], '-t "1.5"'],
    [["-s", "localhost:1", "-C", "-3"], '-C "-3": must be a whole number, 0 or more'],
    [["-s", "localhost:1", "-l", ""], "-l"],
    [["-s", "localhost:1", "-l", "a#"], '-l "a#"'],
    [["-s", "localhost:1", "-E", "A B"], '-E "A B": not the name of an environment variable'],
    [["-s", "localhost:1", "--idle-timeout", "x"], '--idle-timeout "x"'],
    [["-S", "-s", "localhost:1"], "-S starts no engines, so -s cannot go with it"],
    [["-S", "--retire-cmd", "x"], "-S starts no engines, so --retire-cmd cannot go with it"],
    [["-s", "localhost:1", "--mailFreq", "3"], "--mailFreq says how often, but not to whom"],
    [["-s", "localhost:1", "--mailTo", "a b"], '--mailTo "a b": not a mail address'],
    [
      ["-s", "localhost:1", "--kvsserver", "h:1", "--use-address", "h"],
      "--use-address is for a private server",
    ],
    [["-s", "localhost:1", "-l", "a/b"], '-l "a/b": a label becomes part of file names'],
    [
      ["-s", "localhost:1", "--loglevel", "info"],
      '--loglevel "info": choose from CRITICAL, ERROR, WARNING, INFO, DEBUG',
    ],
    [["-s", "localhost:1", "--loglevel", "constructor"], '--loglevel "constructor": choose from'],
    [["-s", "localhost:1", "--grace", "-1"], '--grace "-1"'],
    [["-s", "localhost:1", "--lease", "0.5"], '--lease "0.5"'],
    [["-s", "localhost:1", "--max-losses", "x"], '--max-losses "x"'],
    [["-s", "localhost:1", "--launcher", "magic"], '--launcher "magic"'],
  ])("refuses %j", (args, message) => {
    expect(() => settings(args)).toThrow(message);
    expect(() => settings(args)).toThrow(UsageError);
  });
});
