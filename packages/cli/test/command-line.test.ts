import { describe, expect, it } from "vitest";
import { type RawOptions, parseCommandLine, parseContextLine } from "../src/command-line.js";
import { contextOptions, driverOptions, longName } from "../src/option-table.js";
import { UsageError } from "../src/usage-error.js";

/** What was given, without the defaults that commander adds. */
function parse(...args: readonly string[]): {
  readonly taskFile: string | null;
  readonly options: RawOptions;
} {
  const parsed = parseCommandLine(args, "1.2.3");
  if (parsed.kind === "print") throw new Error("it prints");
  const { fsync: _fsync, retire: _retire, drainFailing: _drainFailing, ...options } = parsed.options;
  return { taskFile: parsed.taskFile, options };
}

describe("parseCommandLine", () => {
  it("reads a plain run", () => {
    expect(parse("-s", "localhost:4", "tasks")).toEqual({
      taskFile: "tasks",
      options: { sshNode: ["localhost:4"] },
    });
  });

  it("takes options before and after the task file, and - as standard input", () => {
    expect(parse("-", "-s", "a:1", "-e")).toEqual({
      taskFile: "-",
      options: { sshNode: ["a:1"], exitCode: true },
    });
    expect(parse("-e", "--", "-weird")).toEqual({ taskFile: "-weird", options: { exitCode: true } });
  });

  it("takes one-letter options together, with a value in or after the last", () => {
    const options = { exitCode: true, retry: true };
    expect(parse("-eR", "t").options).toEqual(options);
    expect(parse("-eRf", "t").options).toEqual({ ...options, failFast: true });
    expect(parse("-eRs", "a:1", "t").options).toEqual({ ...options, sshNode: ["a:1"] });
    expect(parse("-eRsa:1", "t").options).toEqual({ ...options, sshNode: ["a:1"] });
    expect(parse("-c0.5", "t").options).toEqual({ cpusPerTask: "0.5" });
  });

  it("collects what may be given several times, and of others takes the last", () => {
    const { options } = parse(
      "-s",
      "a:1",
      "--ssh-node=b:2",
      "-r",
      "one",
      "--resume=two",
      "-p",
      "x",
      "--prefix",
      "y",
      "t",
    );
    expect(options).toEqual({ sshNode: ["a:1", "b:2"], resumeFrom: ["one", "two"], prefix: "y" });
  });

  it("takes --kvsserver with and without a value", () => {
    expect(parse("--kvsserver", "h:1", "t").options).toEqual({ kvsserver: "h:1" });
    expect(parse("t", "--kvsserver").options).toEqual({ kvsserver: true });
    expect(parse("--kvsserver", "-e", "t").options).toEqual({ kvsserver: true, exitCode: true });
    expect(parse("--kvs=h:1", "t").options).toEqual({ kvsserver: "h:1" });
  });

  it("knows --no-fsync as the opposite of fsync", () => {
    const parsed = parseCommandLine(["--no-fsync", "t"], "");
    expect(parsed.kind === "run" && parsed.options["fsync"]).toBe(false);
  });

  it("keeps values as they are, also those that look like options or are empty", () => {
    expect(parse("-p", "-x", "-l", "", "--retry", "t").options).toEqual({
      prefix: "-x",
      label: "",
      retry: true,
    });
  });

  it("prints help and version, whatever else is there, and exits with 0", () => {
    expect(parseCommandLine(["--version"], "1.2.3")).toEqual({ kind: "print", text: "1.2.3\n" });
    expect(parseCommandLine(["--vers", "t"], "1.2.3")).toEqual({ kind: "print", text: "1.2.3\n" });
    for (const args of [["-h"], ["--help"], ["--he"], ["-e", "-h", "tasks"]]) {
      const printed = parseCommandLine(args, "");
      expect(printed.kind === "print" && printed.text).toContain("--ssh-node <host:count>");
    }
  });

  it("shows in its help every option that works, and no other", () => {
    const help = parseCommandLine(["-h"], "");
    const text = help.kind === "print" ? help.text : "";
    for (const row of driverOptions) {
      const isShown = row.hidden === undefined;
      expect([
        longName(row),
        text.includes(`${longName(row)} `) || text.includes(`${longName(row)}\n`),
      ]).toEqual([longName(row), isShown]);
    }
  });

  it.each([
    [["-Z", "t"], "unknown option '-Z'"],
    [["--bogus", "t"], "unknown option: --bogus"],
    [["-eZ", "t"], "unknown option"],
    [["-s"], "argument missing"],
    [["a", "b", "c"], "only one task file can be given, and this is one too many: b c"],
    [["--log", "x", "t"], "ambiguous option: --log could be --logfile, --loglevel"],
    [["-e=1", "t"], "unknown option"],
  ])("refuses %j", (args, message) => {
    expect(() => parseCommandLine(args, "")).toThrow(message);
    expect(() => parseCommandLine(args, "")).toThrow(UsageError);
  });

  it("leaves to others to say where the tasks come from, when no file is named", () => {
    expect(parse("-e").taskFile).toBeNull();
    expect(parse("--taskcommand", "generate", "-e")).toEqual({
      taskFile: null,
      options: { taskcommand: "generate", exitCode: true },
    });
  });
});

describe("parseContextLine", () => {
  const options = (...args: readonly string[]): RawOptions => {
    const parsed = parseContextLine(args);
    if (parsed.kind === "print") throw new Error("it prints");
    const { retire: _retire, ...given } = parsed.options;
    return given;
  };

  it("takes what says something of a context, and which run is meant", () => {
    expect(options("-s", "a:1", "--idle-timeout=3", "-C5", "--run", "p")).toEqual({
      sshNode: ["a:1"],
      idleTimeout: "3",
      contextTaskLimit: "5",
      run: "p",
    });
    expect(options()).toEqual({});
  });

  it("shows just that in its help", () => {
    const help = parseContextLine(["-h"]);
    const text = help.kind === "print" ? help.text : "";
    for (const row of contextOptions) expect(text).toContain(longName(row));
    expect(text).not.toContain("--resume-from");
  });

  it.each([
    [["--exit-code"], "unknown option: --exit-code"],
    [["monitor"], '"monitor" is neither an option nor one of --mon, status'],
  ])("refuses %j", (args, message) => {
    expect(() => parseContextLine(args)).toThrow(message);
    expect(() => parseContextLine(args)).toThrow(UsageError);
  });
});
