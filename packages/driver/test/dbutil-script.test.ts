import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { dbUtilScript, linkDbUtilScript, writeDbUtilScript } from "../src/dbutil-script.js";
import { usePlace } from "./place.js";

const path = usePlace();
const odd = "a b'c\"$(touch pwned)`x`\\%s\nd";

/** A script for a run whose every path is odd, and a `node` that tells what it was given. */
function script(node = path(`${odd}.node`)): string {
  writeFileSync(node, '#!/bin/bash\nprintf "%s\\n" "$TASKMUSTER_RUN" "$@"\n');
  chmodSync(node, 0o755);
  const text = dbUtilScript(path(odd), {
    node,
    context: path(`${odd}.context`),
    dbutil: path(`${odd}.dbutil`),
  });
  writeDbUtilScript(path("run_dbUtil.sh"), text);
  return path("run_dbUtil.sh");
}

describe("dbUtil.sh", () => {
  it("adds a context, from any directory and as a copy, whatever the paths hold", () => {
    const copy = path("slurm_script");
    writeFileSync(copy, readFileSync(script()));
    const said = execFileSync("/bin/bash", [copy, "-s", "a b:1"], { cwd: "/", encoding: "utf8" });
    expect(said).toBe(`${path(odd)}\n${path(`${odd}.context`)}\n-s\na b:1\n`);
  });

  it.each(["--mon", "--monitor", "status", "audit", "retire", "stop", "add", "--help"])(
    "watches with %s",
    (word) => {
      const said = execFileSync(script(), [word, "x"], { encoding: "utf8" });
      expect(said).toBe(`${path(odd)}\n${path(`${odd}.dbutil`)}\n${word}\nx\n`);
    },
  );

  it("is its owner's alone, and holds every path as it is", () => {
    expect(statSync(script()).mode & 0o777).toBe(0o700);
  });

  it("takes the node that TASKMUSTER_NODE names, else the one on PATH, where the driver's own is not there", () => {
    const file = script();
    mkdirSync(path("bin"));
    writeFileSync(path("bin/node"), '#!/bin/bash\necho other "$1"\n');
    chmodSync(path("bin/node"), 0o755);
    chmodSync(path(`${odd}.node`), 0o644);
    const PATH = `${path("bin")}:/usr/bin:/bin`;
    const said = execFileSync(file, [], { encoding: "utf8", env: { PATH } });
    expect(said).toBe(`other ${path(`${odd}.context`)}\n`);
    const named = execFileSync(file, [], { encoding: "utf8", env: { TASKMUSTER_NODE: path("bin/node") } });
    expect(named).toBe(said);
  });

  it("says what to do where there is no node at all", () => {
    const file = script();
    chmodSync(path(`${odd}.node`), 0o644);
    mkdirSync(path("empty"));
    const { status, stderr } = spawnSync("/bin/bash", [file], {
      encoding: "utf8",
      env: { PATH: path("empty") },
    });
    expect(status).toBe(1);
    expect(stderr).toContain("there is no Node.js on");
    expect(stderr).toContain(odd);
    expect(stderr).toContain("TASKMUSTER_NODE");
  });
});

describe("the link to the newest run's dbUtil.sh", () => {
  it("is made, and moved on to the next run", () => {
    expect(linkDbUtilScript(path("tasks_dbUtil.sh"), "/runs/1")).toBe(true);
    expect(linkDbUtilScript(path("tasks_dbUtil.sh"), "/runs/1")).toBe(true);
    expect(linkDbUtilScript(path("tasks_dbUtil.sh"), "/runs/2")).toBe(true);
    expect(readlinkSync(path("tasks_dbUtil.sh"))).toBe("/runs/2");
  });

  it("leaves a file of somebody's alone", () => {
    writeFileSync(path("tasks_dbUtil.sh"), "mine");
    expect(linkDbUtilScript(path("tasks_dbUtil.sh"), "/runs/1")).toBe(false);
    expect(lstatSync(path("tasks_dbUtil.sh")).isFile()).toBe(true);
  });

  it("does without where it cannot be made", () => {
    expect(linkDbUtilScript(path("missing/tasks_dbUtil.sh"), "/runs/1")).toBe(false);
  });
});
