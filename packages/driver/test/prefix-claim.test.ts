import { existsSync, linkSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { claimPrefix } from "../src/prefix-claim.js";
import { runFiles } from "../src/run-files.js";
import { usePlace } from "./place.js";

const path = usePlace();

describe("claimPrefix", () => {
  it("has nothing to do where no run has been", async () => {
    expect(await claimPrefix(runFiles(path("one")), [])).toEqual({ setAside: null });
    expect(readdirSync(path())).toEqual([]);
  });

  it("refuses a prefix that has a status file, also when the run resumes from another one", async () => {
    writeFileSync(path("one_status.txt"), "rows\n");
    writeFileSync(path("two_status.txt"), "");
    for (const resumedFrom of [[], [path("two_status.txt")], [path("missing")]]) {
      await expect(claimPrefix(runFiles(path("one")), resumedFrom)).rejects.toThrow(
        `one_status.txt exists already, and a status file is never overwritten`,
      );
    }
    expect(readFileSync(path("one_status.txt"), "utf8")).toBe("rows\n");
  });

  it("sets the status file aside that the run resumes from, under a name that is free", async () => {
    writeFileSync(path("one_status.txt"), "new\n");
    writeFileSync(path("one_status_1.txt"), "old\n");
    expect(await claimPrefix(runFiles(path("one")), [path("x"), path("./one_status.txt")])).toEqual({
      setAside: path("one_status_2.txt"),
    });
    expect(existsSync(path("one_status.txt"))).toBe(false);
    expect(readFileSync(path("one_status_1.txt"), "utf8")).toBe("old\n");
    expect(readFileSync(path("one_status_2.txt"), "utf8")).toBe("new\n");
  });

  it("knows that file under any name that it has", async () => {
    for (const link of [symlinkSync, linkSync]) {
      writeFileSync(path("one_status.txt"), "rows\n");
      const name = path(link.name);
      link(path("one_status.txt"), name);
      expect((await claimPrefix(runFiles(path("one")), [name])).setAside).not.toBeNull();
    }
  });

  it("passes over the address of a store that is gone, and removes it", async () => {
    for (const text of [
      "",
      "localhost:1",
      JSON.stringify({ addresses: ["unix:///no/such/socket"], private: true, runId: "abcdefgh" }),
    ]) {
      writeFileSync(path("one_kvsinfo.txt"), text, { mode: 0o600 });
      expect(await claimPrefix(runFiles(path("one")), [])).toEqual({ setAside: null });
      expect(readdirSync(path())).toEqual([]);
    }
  });

  it("does not pass over one on another host, as what works there cannot be seen from here", async () => {
    const address = { addresses: ["unix:///no/such/socket"], private: true, runId: "abcdefgh" };
    const run = { kind: "run", version: 2, runId: "abcdefgh", at: "t", host: "far", pid: 7, cwd: "/w" };
    const list = { kind: "file", path: "/w/tasks", bytes: 5, sha256: "aa" };
    const begun = { ...run, taskFile: "tasks", resumedFrom: [], setAside: null, args: ["tasks"], list };
    const epoch = { kind: "epoch", at: "t", token: 1, host: "far", pid: 7, process: null, hostOnly: true };
    const ledger = (storeHost: string | null, ...more: readonly object[]): void =>
      writeFileSync(
        path("one_ledger"),
        [begun, { ...epoch, storeHost }, ...more].map((entry) => `${JSON.stringify(entry)}\n`).join(""),
      );
    const claims = [
      () => claimPrefix(runFiles(path("one")), []),
      () => claimPrefix(runFiles(path("two")), [path("one_status.txt")]),
    ];
    ledger("far");
    for (const claim of claims) {
      writeFileSync(path("one_kvsinfo.txt"), JSON.stringify(address), { mode: 0o600 });
      await expect(claim()).rejects.toThrow(
        /did not end, and its key-value store on far cannot be reached .* driver --recover \S+one --assume-dead$/,
      );
      expect(existsSync(path("one_kvsinfo.txt"))).toBe(true);
    }
    const end = { kind: "end", at: "t", reason: "finished", done: 1, ids: 1, listRead: true, bytes: 1 };
    for (const tell of [() => ledger(hostname()), () => ledger(null), () => ledger("far", end)]) {
      tell();
      for (const claim of claims) expect(await claim()).toEqual({ setAside: null });
    }
  });
});
