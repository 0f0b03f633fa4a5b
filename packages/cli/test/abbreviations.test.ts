import { describe, expect, it } from "vitest";
import { expandAbbreviations } from "../src/abbreviations.js";
import { driverOptions, longName } from "../src/option-table.js";
import { UsageError } from "../src/usage-error.js";

const expanded = (arg: string): string => expandAbbreviations([arg], driverOptions)[0] ?? "";

describe("expandAbbreviations", () => {
  it.each([
    ["--ssh", "--ssh-node"],
    ["--status", "--status-header"],
    ["--resume", "--resume-from"],
    ["--ret", "--ret", "ambiguous"],
    ["--retr", "--retry"],
    ["--force", "--force-resume"],
    ["--e", "--e", "ambiguous"],
    ["--ex", "--exit-code"],
    ["--fail", "--fail-fast"],
    ["--cpus=2", "--cpusPerTask=2"],
    ["--tasks", "--tasks", "ambiguous"],
    ["--tasksP", "--tasksPerNode"],
    ["--kvs=h:1=2", "--kvsserver=h:1=2"],
    ["--la", "--label"],
    ["--log", "--log", "ambiguous"],
    ["--logf", "--logfile"],
    ["--no", "--no-retire"],
    ["--no-f", "--no-fsync"],
    ["--qui", "--quiet"],
    ["--h", "--help"],
    ["--vers", "--version"],
    ["--start", "--startup-only"],
  ])("%s is %s", (arg, long, ambiguous?: string) => {
    if (ambiguous === undefined) expect(expanded(arg)).toBe(long);
    else expect(() => expanded(arg)).toThrow(`ambiguous option: ${arg} could be --`);
  });

  it("lets an option of ours make no abbreviation of disBatch's ambiguous", () => {
    // --grace begins like --gpu, --max-losses like --mailTo, --quiet like nothing; --lease and --lenient like --label and --log….
    expect(expanded("--g")).toBe("--gpu");
    expect(expanded("--gr=2")).toBe("--grace=2");
    expect(expanded("--q")).toBe("--quiet");
    expect(expanded("--len")).toBe("--lenient");
    expect(() => expanded("--le")).toThrow("--le could be --lenient, --lease");
    expect(() => expanded("--l")).toThrow("--l could be --label, --logfile, --loglevel");
  });

  it("leaves every full name as it is, with and without a value", () => {
    for (const name of [...driverOptions.map(longName), "--help"]) {
      expect(expanded(name)).toBe(name);
      expect(expanded(`${name}=--x=y`)).toBe(`${name}=--x=y`);
    }
  });

  it("leaves short options, words and what follows -- alone", () => {
    const args = ["-eR", "-s", "localhost:1", "-", "tasks", "--", "--ssh", "--bogus"];
    expect(expandAbbreviations(args, driverOptions)).toEqual(args);
  });

  it("refuses an option that nobody has", () => {
    for (const arg of ["--bogus", "--sshnode", "--exit-codes", "--Retry", "--=x"]) {
      expect(() => expanded(arg)).toThrow(UsageError);
    }
    expect(() => expanded("--bogus=3")).toThrow("unknown option: --bogus (--help lists them)");
  });

  it("does not know the hidden option by a part of its name", () => {
    expect(expanded("--launcher")).toBe("--launcher");
    expect(() => expanded("--launch")).toThrow("unknown option: --launch");
  });
});
