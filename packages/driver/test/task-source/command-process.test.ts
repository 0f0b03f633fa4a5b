import { describe, expect, it } from "vitest";
import { commandEnvironment } from "../../src/task-source/command-environment.js";
import { CommandProcess } from "../../src/task-source/command-process.js";

function start(command: string, graceMs = 5_000) {
  const output: string[] = [];
  const child = new CommandProcess({
    command,
    cwd: "/",
    env: { PATH: process.env["PATH"] },
    graceMs,
    onOutput: (text) => output.push(Buffer.from(text).toString()),
  });
  return { child, output };
}

async function said(output: readonly string[], words: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!output.join("").includes(words)) {
    if (performance.now() > deadline) throw new Error(`not said: ${words}; but: ${output.join("")}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a command that generates tasks", () => {
  it("passes on what it says, and remembers its last words and its end", async () => {
    const { child, output } = start("for i in 1 2 3 4 5 6 7; do echo line $i; done; echo last >&2; exit 3");
    expect(child.isGone).toBe(false);
    expect(await child.gone).toEqual({ code: 3, signal: null });
    expect(child.isGone).toBe(true);
    expect(child.howItEnded).toBe("exit status 3");
    expect(child.lastWords.split("\n")).toHaveLength(5);
    expect(child.lastWords).toContain("line 7");
    expect(output.join("")).toContain("last\n");
    await child.stop();
  });

  it("is stopped with what it has started", async () => {
    const { child, output } = start("sleep 1000 & echo ready; wait");
    await said(output, "ready");
    await child.stop();
    expect(child.howItEnded).toBe("SIGTERM");
  });

  it("is killed when it does not listen", async () => {
    const { child, output } = start("trap '' TERM; echo ready; while :; do sleep 0.01; done", 50);
    await said(output, "ready");
    await child.stop();
    expect(child.howItEnded).toBe("SIGKILL");
  });

  it("has ended although what it left behind holds its output", async () => {
    const { child } = start("sleep 1000 & exit 0");
    expect(await child.gone).toEqual({ code: 0, signal: null });
    await child.stop();
  });

  it("reads nothing of ours", async () => {
    const { child } = start("cat; exit 4");
    expect((await child.gone).code).toBe(4);
  });
});

describe("its environment", () => {
  it("tells of a store on a socket", () => {
    const env = commandEnvironment({ A: "b" }, { addresses: ["unix:///s"], password: "p", private: true });
    expect(env).toEqual({ A: "b", TASKMUSTER_KVS_URL: "unix:///s", TASKMUSTER_KVS_PASSWORD: "p" });
  });

  it("tells disBatch's way, too, of one that listens on TCP", () => {
    const addresses = ["redis://host.example:7000/3", "unix:///s"];
    const env = commandEnvironment({}, { addresses, username: "u", private: false });
    expect(env).toEqual({
      TASKMUSTER_KVS_URL: "unix:///s",
      TASKMUSTER_KVS_USERNAME: "u",
      KVSSTCP_HOST: "host.example",
      KVSSTCP_PORT: "7000",
    });
  });
});
