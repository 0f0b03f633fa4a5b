import { mkdirSync, writeFileSync } from "node:fs";
import { TaskmusterError } from "@taskmuster/kvs";
import { describe, expect, it } from "vitest";
import { choosePrefix, runFiles } from "../src/run-files.js";
import { usePlace } from "./place.js";

const path = usePlace();

function prefixOf(
  option: string,
  more: { readonly nameTasks?: string; readonly random?: () => number } = {},
): string {
  return choosePrefix({
    option,
    nameTasks: "tasks",
    cwd: path(),
    now: new Date(2026, 10, 7, 8, 9, 5),
    random: () => 7,
    ...more,
  });
}

describe("choosePrefix", () => {
  it("names a run in a directory after the task file, the date and a number, as disBatch does", () => {
    mkdirSync(path("out"));
    const name = "tasks_disBatch_261107080905_007";
    expect(prefixOf(".")).toBe(path(name));
    expect(prefixOf("out")).toBe(path(`out/${name}`));
    expect(prefixOf("out/")).toBe(path(`out/${name}`));
    expect(prefixOf(path("out"))).toBe(path(`out/${name}`));
  });

  it("takes another number when a run of that name is there", () => {
    const numbers = [7, 7, 42];
    writeFileSync(path("tasks_disBatch_261107080905_007_status.txt"), "");
    expect(prefixOf(".", { random: () => numbers.shift() ?? 0 })).toBe(
      path("tasks_disBatch_261107080905_042"),
    );
  });

  it("takes anything else as it is, made absolute", () => {
    mkdirSync(path("out"));
    expect(prefixOf("out/run1")).toBe(path("out/run1"));
    expect(prefixOf("run1")).toBe(path("run1"));
    expect(prefixOf("out/../run 1$(x)\n")).toBe(path("run 1$(x)\n"));
    expect(prefixOf(path("run1"))).toBe(path("run1"));
  });

  it("takes a name with anything in it", () => {
    expect(prefixOf(".", { nameTasks: "a b'$(x)\n" })).toBe(path("a b'$(x)\n_disBatch_261107080905_007"));
  });

  it.each([
    ["", "-p is empty"],
    ["no/run1", "Directory "],
    ["no/", "no/ does not exist"],
    ["no/deeper/", "deeper"],
    ["file/run1", "file does not exist"],
  ])("refuses %j", (option, message) => {
    writeFileSync(path("file"), "");
    expect(() => prefixOf(option)).toThrow(message);
    expect(() => prefixOf(option)).toThrow(TaskmusterError);
  });
});

describe("runFiles", () => {
  it("are disBatch's names, and ours", () => {
    expect(runFiles("/a/run1")).toEqual({
      prefix: "/a/run1",
      dbUtil: "/a/run1_dbUtil.sh",
      jobId: "run1",
      status: "/a/run1_status.txt",
      ledger: "/a/run1_ledger",
      spool: "/a/run1_tasks",
      kvsInfo: "/a/run1_kvsinfo.txt",
      driverLog: "/a/run1_driver.log",
    });
  });
});
