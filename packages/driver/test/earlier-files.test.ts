import { renameSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { withEarlierFiles } from "../src/earlier-files.js";
import { usePlace } from "./place.js";

const path = usePlace();

interface Begun {
  readonly resumedFrom: readonly string[];
  readonly setAside?: string;
}

/** What a ledger says of a run that resumed others. */
function begun({ resumedFrom, setAside }: Begun): object {
  return { kind: "run", version: 2, cwd: path(), resumedFrom, setAside: setAside ?? null };
}
function ended(listRead: boolean): object {
  return { kind: "end", reason: "stopped", listRead };
}
function run(prefix: string, ...entries: readonly object[]): void {
  writeFileSync(path(`${prefix}_status.txt`), `rows of ${prefix}\n`);
  writeFileSync(path(`${prefix}_ledger`), entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));
}
function found(...names: readonly string[]): readonly string[] {
  return withEarlierFiles(names.map((name) => path(name))).paths.map((each) => basename(each));
}

describe("the files for a resume", () => {
  it("are those of runs that resumed others and were broken off, and those others', however many", () => {
    run("one", begun({ resumedFrom: [] }));
    run("two", begun({ resumedFrom: ["one_status.txt"] }), ended(false));
    run("three", begun({ resumedFrom: ["two_status.txt", "one_status.txt"] }));
    expect(found("one_status.txt")).toEqual(["one_status.txt"]);
    expect(found("three_status.txt")).toEqual(["three_status.txt", "two_status.txt", "one_status.txt"]);
    const { notices } = withEarlierFiles([path("two_status.txt")]);
    expect(notices).toEqual([
      `${path("two_status.txt")} is of a run that was broken off while it went on from ${path("one_status.txt")}, which is read, too`,
    ]);
  });

  it("are those that were named, when all that stood in others was taken over", () => {
    run("one", begun({ resumedFrom: [] }));
    run("two", begun({ resumedFrom: ["one_status.txt"] }), ended(true));
    expect(withEarlierFiles([path("two_status.txt")])).toEqual({
      paths: [path("two_status.txt")],
      notices: [],
    });
  });

  it("are found where they were set aside, by each of the runs of one prefix", () => {
    writeFileSync(path("one_status_1.txt"), "rows of the first\n");
    writeFileSync(path("one_status_2.txt"), "rows of the second\n");
    run(
      "one",
      begun({ resumedFrom: [] }),
      begun({ resumedFrom: ["one_status.txt"], setAside: path("one_status_1.txt") }),
      begun({ resumedFrom: ["one_status.txt"], setAside: path("one_status_2.txt") }),
    );
    expect(found("one_status.txt")).toEqual(["one_status.txt", "one_status_2.txt", "one_status_1.txt"]);
    expect(found("one_status_2.txt")).toEqual(["one_status_2.txt", "one_status_1.txt"]);
  });

  it("are not there twice, and one that is missing is told", () => {
    run("one", begun({ resumedFrom: [] }));
    run("two", begun({ resumedFrom: ["one_status.txt"] }));
    expect(found("one_status.txt", "two_status.txt")).toEqual(["one_status.txt", "two_status.txt"]);
    rmSync(path("one_status.txt"));
    const { paths, notices } = withEarlierFiles([path("two_status.txt")]);
    expect([paths, notices]).toEqual([
      [path("two_status.txt")],
      [
        expect.stringContaining(
          "one_status.txt, which is not there any more: what stands in that one only is run again",
        ),
      ],
    ]);
  });

  it("are those that were named where no ledger tells more", () => {
    run("one", begun({ resumedFrom: [] }));
    run("two", begun({ resumedFrom: ["one_status.txt"] }));
    renameSync(path("two_ledger"), path("moved"));
    writeFileSync(path("three_status.txt"), "");
    writeFileSync(path("three_ledger"), "Call me Ishmael.\n");
    expect(withEarlierFiles([path("two_status.txt"), path("three_status.txt"), path("missing")])).toEqual({
      paths: [path("two_status.txt"), path("three_status.txt"), path("missing")],
      notices: [],
    });
  });
});
