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
      taskFile: "tasks",
      prefix: ".",
      cores: 4,
      slots: 4,
      coresPerTask: 1,
      cpusPerTask: 1,
      taskLimit: null,
      label: "SSH0",
      resumeFrom: [],
      retry: false,
      forceResume: false,
      exitCode: false,
      failFast: false,
      statusHeader: false,
      logFile: null,
      logLevel: "info",
      kvsServer: null,
      quiet: false,
      json: false,
      lenient: false,
      graceMs: 3000,
      leaseMs: 300_000,
      maxLosses: 5,
      sync: true,
      launcher: "auto",
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
      taskLimit: 7,
      label: "lab",
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
      graceMs: 500,
      leaseMs: 10_000,
      maxLosses: 0,
      sync: false,
      launcher: "noop",
    });
    expect(here("-C", "0").taskLimit).toBeNull();
  });

  it("computes slots as disBatch does", () => {
    expect(settings(["-s", "localhost:5", "-c", "2"])).toMatchObject({ cores: 5, slots: 2, coresPerTask: 2 });
    expect(settings(["-s", "localhost:1", "-c", "0.5"])).toMatchObject({ slots: 2, coresPerTask: 0 });
    expect(settings(["-s", "localhost:7", "-t", "2"])).toMatchObject({ slots: 2, coresPerTask: 3 });
    expect(settings(["-s", "localhost:2,vm:1", "-s", "vm.other:3"])).toMatchObject({ cores: 6, slots: 6 });
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

  it("takes the hosts from the environment where -s is not given", () => {
    expect(settings([], { DISBATCH_SSH_NODELIST: " localhost:1 ,, vm:2" })).toMatchObject({ cores: 3 });
    expect(settings(["-s", "vm:1"], { DISBATCH_SSH_NODELIST: "elsewhere:2" })).toMatchObject({ cores: 1 });
    expect(() => settings([], { DISBATCH_SSH_NODELIST: "vm" })).toThrow(
      'DISBATCH_SSH_NODELIST: "vm": there is no count',
    );
    expect(() => settings([], { DISBATCH_SSH_NODELIST: "" })).toThrow("DISBATCH_SSH_NODELIST");
  });

  it("in a Slurm job wants to be told to run here, as allocations come later", () => {
    for (const env of [{ SLURM_JOBID: "77" }, { SLURM_JOB_ID: "77", DISBATCH_SSH_NODELIST: "vm:2" }]) {
      expect(() => settings([], env)).toThrow("this is Slurm job 77");
      expect(settings(["-s", "localhost:2"], env).cores).toBe(2);
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

  it("takes --use-address for this host, as that is where the server listens", () => {
    for (const address of ["localhost", "localhost:0", "127.0.0.1", "127.0.0.1:7000"]) {
      expect(here("--use-address", address)).toBeDefined();
    }
    expect(() => here("--use-address", "login.example.org:7000")).toThrow(
      "--use-address login.example.org:7000",
    );
  });

  it.each([
    [[], "Cannot determine batch execution environment. Say where to run: -s localhost:4"],
    [["-s", "elsewhere:3"], "elsewhere is not this host (vm.example.org)"],
    [["-s", "vm:1,elsewhere:3"], "elsewhere is not this host"],
    [["-s", "localhost"], '-s: "localhost": there is no count'],
    [["-s", "localhost:0"], '-s: "localhost:0": the count must be'],
    [["-s", ","], "-s: "],
    [["-s", "localhost:1", "-c", "2"], "no task fits: -c 2 asks for more than the 1 cores of vm.example.org"],
    [["-s", "localhost:1", "-c", "0"], '-c "0": must be a number above 0'],
    [["-s", "localhost:1", "-c", "-1"], '-c "-1"'],
    [["-s", "localhost:1", "-c", ""], '-c ""'],
    [["-s", "localhost:1", "-c", "NaN"], '-c "NaN"'],
    [["-s", "localhost:1", "-c", "Infinity"], '-c "Infinity"'],
    [["-s", "localhost:1", "-c", "0.0000001"], "tasks at a time on one host are too many"],
    [["-s", "localhost:1", "-t", "0"], '-t "0": must be a whole number, 1 or more'],
    [["-s", "localhost:1", "-t", "1.5"], '-t "1.5"'],
    [["-s", "localhost:1", "-t", "999999999"], "tasks at a time on one host are too many"],
    [["-s", "localhost:1", "-C", "-3"], '-C "-3": must be a whole number, 0 or more'],
    [["-s", "localhost:1", "-l", ""], "-l"],
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
