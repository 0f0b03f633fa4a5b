import { spawnSync } from "node:child_process";
import { Buffer } from "node:buffer";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bootstrap, remoteScript } from "../../src/context/remote-script.js";
import { Place, config } from "./rig.js";

const shells = [
  ["/bin/sh"],
  ["/bin/dash"],
  ["/bin/bash"],
  ["/bin/bash", "--posix"],
  ["/bin/ksh"],
  ["/bin/busybox", "sh"],
].filter(([program = ""]) => existsSync(program));

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

interface Options {
  readonly node?: string;
  readonly engineScript?: string | Uint8Array;
  readonly cwd?: string | Uint8Array;
  readonly variables?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

function run([program = "", ...args]: readonly string[], options: Options = {}) {
  const line = remoteScript({
    node: options.node ?? process.execPath,
    engineScript: options.engineScript ?? place.engine,
    cwd: options.cwd ?? place.dir,
    ...(options.variables === undefined ? {} : { variables: options.variables }),
  });
  const ran = spawnSync(program, [...args, "-c", bootstrap], {
    input: `${line}\n${options.input ?? ""}`,
    env: options.env ?? process.env,
    encoding: "utf8",
    timeout: 30_000,
  });
  return { line, status: ran.status, stdout: ran.stdout, stderr: ran.stderr };
}

const begin = `${JSON.stringify({ ...config("exit 5"), livenessFd: 3 })}\n`;

describe.each(shells)("the line of sh for another node, in %s %s", (...shell) => {
  it("runs the engine in its directory, whatever their names, and tells its end after that of its guardian", () => {
    const ran = run(shell, { input: begin });
    expect(ran).toMatchObject({ status: 5, stdout: "\nTM-UP\n\nTM-END 5\n", stderr: "" });
    expect(place.read("told")).toBe(`start ${JSON.stringify(place.dir)}\nbegin e1 3\n`);
  });

  it("gives variables any value", () => {
    const value = "a 'b' \"$c\" `d` \\n é\n\n";
    run(shell, { input: begin, variables: { TM_VALUE: value } });
    expect(JSON.parse(place.read("environment"))).toMatchObject({ TM_VALUE: value });
  });

  it("lives through a scheduler's signals, so as to tell of the end", () => {
    const killer = place.write(
      "k.cjs",
      `process.kill(process.ppid, "SIGTERM"); process.kill(process.ppid, "SIGUSR1");`,
    );
    expect(run(shell, { engineScript: killer })).toMatchObject({
      status: 0,
      stdout: "\nTM-UP\n\nTM-END 0\n",
    });
  });

  it("tells of an engine that was killed", () => {
    const engineScript = place.write("k.cjs", `if (process.pid > 1) process.kill(process.pid, "SIGKILL");`);
    expect(run(shell, { engineScript }).stdout).toBe("\nTM-UP\n\nTM-END 137\n");
  });

  it("takes the node on PATH where ours is not", () => {
    const ran = run(shell, { node: "/no/such node", input: begin });
    expect(ran).toMatchObject({ status: 5, stderr: "" });
  });

  it("says what is missing", () => {
    // Without a level bash takes a socket on its standard input for a remote login, and reads the user's .bashrc.
    const bare = { PATH: "/nowhere", SHLVL: "2" };
    expect(run(shell, { node: "/no/such node", env: bare })).toMatchObject({
      status: 127,
      stdout: "\nTM-UP\n\nTM-END 127\n",
      stderr: "engine: there is no Node.js: /no/such node is not there, and no node is on PATH (/nowhere)\n",
    });
    place.program("node", "echo 18");
    const old = run(shell, { node: "/no/such node", env: place.env });
    expect(old.stderr).toBe(
      `engine: the only Node.js is too old: ${place.path("node")} has version 18, 20 is needed, and /no/such node is not there\n`,
    );
    const script = run(shell, { engineScript: "/no/engine.js" });
    expect(script.stderr).toContain("cannot read /no/engine.js; is the directory on a file system");
    const cwd = run(shell, { cwd: "/no/dir" });
    expect(cwd.stderr).toContain("cannot go to the directory /no/dir");
    expect([script.status, cwd.status]).toEqual([127, 127]);
  });

  it("enters a directory whose name is not UTF-8", () => {
    const cwd = Buffer.concat([Buffer.from(`${place.dir}/`), Buffer.from([0xff, 0xfe, 0x0a, 0x41])]);
    mkdirSync(cwd);
    const engineScript = Buffer.concat([cwd, Buffer.from("/e.cjs")]);
    writeFileSync(engineScript, "");
    const pwd = place.write("pwd.cjs", `process.stderr.write(require("fs").readdirSync(".").join())`);
    expect(run(shell, { cwd, engineScript: pwd }).stderr).toBe("e.cjs");
    rmSync(cwd, { recursive: true });
  });
});

describe("the line of sh for another node", () => {
  it("is one line of plain ASCII", () => {
    const { line } = run(["/bin/sh"], { input: begin });
    expect(line).toMatch(/^[ -~]+$/);
  });

  it("is refused what cannot be passed on", () => {
    const paths = { node: "/n", engineScript: "/e", cwd: "/c" };
    expect(() => remoteScript({ ...paths, cwd: "/a\0b" })).toThrow(RangeError);
    expect(() => remoteScript({ ...paths, variables: { "A;B": "" } })).toThrow(RangeError);
  });
});
