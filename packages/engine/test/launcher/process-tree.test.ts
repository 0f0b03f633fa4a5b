import { type ChildProcess, spawn } from "node:child_process";
import { afterEach, describe, expect, it } from "vitest";
import { findTree, killTree, liveProcesses, signalProcesses } from "../../src/launcher/process-tree.js";
import { dead, isAlive, until } from "./rig.js";

describe("the tree of a shell", () => {
  const children: ChildProcess[] = [];
  afterEach(async () => {
    for (const { pid } of children.splice(0)) {
      if (pid !== undefined && isAlive(pid)) process.kill(-pid, "SIGKILL");
    }
  });

  function shell(command: string, env: Record<string, string> = {}): number {
    const child = spawn("/bin/bash", ["-c", command], {
      detached: true,
      stdio: "ignore",
      env: { ...process.env, ...env },
    });
    children.push(child);
    return child.pid ?? 0;
  }

  it("is its session, whatever descends from it, and whoever carries the mark", async () => {
    const mark = `test-${process.pid}-${Date.now()}.1;`;
    const pid = shell("sleep 601 & setsid sleep 602 & (setsid setsid sleep 603 &); sleep 604; true", {
      TASKMUSTER_TASK: mark,
    });
    const tree = { sessions: new Set([pid]), mark };
    const found = await until("five processes", async () => {
      const members = await findTree(tree);
      return members.length === 5 && members;
    });
    expect(found.map((member) => member.pid)).toContain(pid);
    expect(tree.sessions.size).toBeGreaterThan(2);
    expect(await killTree(tree)).toEqual([]);
    for (const member of found) expect(isAlive(member.pid)).toBe(false);
  });

  it("is nothing of another's, and never ourselves", async () => {
    const [mine, other] = [shell("sleep 605; true"), shell("sleep 606; true")];
    const tree = { sessions: new Set([mine]), mark: "nobody has this mark" };
    await until("its two", async () => (await findTree(tree)).length === 2);
    await killTree(tree);
    expect(isAlive(other)).toBe(true);
    const own = (await liveProcesses()).find(({ pid }) => pid === process.pid);
    const members = await findTree({ sessions: new Set([own?.session ?? 0]), mark: "none" });
    expect(members.map(({ pid }) => pid)).not.toContain(process.pid);
    // Whoever shares our group is signalled alone, never the group.
    for (const { group } of members) expect(group).not.toBe(own?.group);
  });

  it("a signal to what has ended meanwhile is no error", async () => {
    const pid = shell("exit 0");
    await dead(pid);
    signalProcesses([{ pid, parent: 1, group: pid, session: pid }], "SIGTERM");
    expect(await killTree({ sessions: new Set([pid]), mark: "none" })).toEqual([]);
  });
});
