import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineHandle } from "../../src/context/engine-handle.js";
import { RemoteEngine } from "../../src/context/remote-engine.js";
import { SshMethod } from "../../src/context/ssh.js";
import { Place, config, plan, until } from "./rig.js";

let place: Place;
const handles: EngineHandle[] = [];

beforeEach(() => {
  place = new Place();
});

afterEach(async () => {
  rmSync(place.path("guarded"), { force: true });
  for (const handle of handles.splice(0)) {
    handle.kill();
    await handle.gone;
  }
  place.remove();
});

/** A program that takes `ssh`'s place: notes its arguments, then gives its last one to a login shell as sshd does. */
function fakeSsh(before = "", shell = "/bin/sh") {
  place.program(
    "ssh",
    `printf '%s\\n' "$@" >>"$DIR/arguments"; echo $$ >"$DIR/pid"
for last; do host=$command; command=$last; done
${before}
exec ${shell} -c "$command"`,
  );
}

function method(leaseMs = 300_000): SshMethod {
  return new SshMethod({
    node: process.execPath,
    engineScript: place.engine,
    cwd: place.dir,
    env: place.env,
    leaseMs,
  });
}

function launch(host = "worker1", from = method()): EngineHandle {
  const handle = from.launch(plan(host));
  handles.push(handle);
  return handle;
}

describe("an engine by ssh", () => {
  it("is started in its directory by a plain sh, whatever the directory's name, and is told what to do over the session", async () => {
    fakeSsh();
    const engine = launch();
    await until("the start", () => place.told(`start ${JSON.stringify(place.dir)}`));
    engine.begin(config("exit 0", "e7"));
    expect(await engine.gone).toEqual({ ok: true, message: "", proven: true, exitStatus: 0 });
    expect(place.read("told")).toContain("begin e7 3");
  });

  it("asks no questions, notices a dead link within about the lease, and shows no name or secret to a process list", async () => {
    fakeSsh();
    const engine = launch("bob@worker1", method(120_000));
    engine.begin(config("exit 0"));
    await engine.gone;
    expect(place.read("arguments").split("\n")).toEqual([
      "-x",
      "-T",
      "-o",
      "BatchMode=yes",
      "-o",
      "ConnectTimeout=20",
      "-o",
      "ServerAliveInterval=12",
      "-o",
      "ServerAliveCountMax=10",
      "-o",
      "ControlMaster=no",
      "-o",
      "ClearAllForwardings=yes",
      "bob@worker1",
      `exec /bin/sh -c 'IFS= read -r l; eval "$l"'`,
      "",
    ]);
  });

  it("is not disturbed by what a login shell prints", async () => {
    fakeSsh("echo Welcome; printf 'no line end'; echo careful >&2");
    const engine = launch();
    engine.begin(config("say engine: nothing to do 4"));
    expect(await engine.gone).toEqual({
      ok: false,
      message: "the engine on worker1 ended with exit status 4: engine: nothing to do 4",
      proven: true,
      exitStatus: 4,
    });
  });

  it("is gone, and proven to be, only when its guardian is gone too", async () => {
    fakeSsh();
    place.write("guarded", "");
    const engine = launch();
    let gone = false;
    void engine.gone.then(() => {
      gone = true;
    });
    engine.begin(config("exit 0"));
    await until("its beginning", () => place.told("begin e1 3"));
    fakeSsh("exit 255");
    await launch("worker2").gone;
    expect(gone).toBe(false);
    rmSync(place.path("guarded"));
    expect(await engine.gone).toMatchObject({ ok: true, proven: true });
  });

  it("proves nothing when the session is lost, and the engine learns of that", async () => {
    place.program(
      "ssh",
      `exec 4<&0
/bin/sh -c 'IFS= read -r l; eval "$l"' <&4 >"$DIR/unseen" 2>&1 &
echo TM-UP
while [ ! -e "$DIR/cut" ]; do sleep 0.02; done
echo 'client_loop: send disconnect: Broken pipe' >&2; exit 255`,
    );
    const engine = launch();
    engine.begin(config("wait"));
    await until("its beginning", () => place.told("begin e1 3"));
    place.write("cut", "");
    expect(await engine.gone).toEqual({
      ok: false,
      message: "lost the ssh session to worker1: client_loop: send disconnect: Broken pipe",
      proven: false,
      exitStatus: 255,
    });
    await until("the engine's noticing", () => place.told("end of input"));
  });

  it("stops when it is told to, without the store", async () => {
    fakeSsh();
    const engine = launch();
    engine.begin(config("wait"));
    await until("its beginning", () => place.told("begin e1 3"));
    engine.terminate();
    expect(await engine.gone).toMatchObject({ ok: true, proven: true });
    expect(place.told("stop")).toBe(true);
  });

  it("kills itself when it is told to", async () => {
    fakeSsh();
    const engine = launch();
    engine.begin(config("wait"));
    await until("its beginning", () => place.told("begin e1 3"));
    engine.kill();
    expect(await engine.gone).toEqual({
      ok: false,
      message: "the engine on worker1 ended with exit status 137 (signal 9)",
      proven: true,
      exitStatus: -9,
    });
  });

  it("is let go, by harder and harder means, when it does not even kill itself", async () => {
    place.program(
      "deaf",
      `trap 'echo TERM >>"$DIR/signals"' TERM; echo >"$DIR/up"; while :; do sleep 0.05; done`,
    );
    const engine = new RemoteEngine({
      host: "worker1",
      prepare: async () => ({ command: place.path("deaf"), args: [], env: place.env, line: ":" }),
      onSettled: () => undefined,
      explain: (up, how) => `${up} ${how}`,
      patienceMs: [50, 300],
    });
    engine.begin(config("wait"));
    await until("the session", () => place.read("up") !== "");
    engine.kill();
    engine.kill();
    expect(await engine.gone).toEqual({
      ok: false,
      message: "false signal SIGKILL",
      proven: false,
      exitStatus: -9,
    });
    expect(place.read("signals")).toBe("TERM\n");
  });

  it("goes when it is told to before it knew what to do", async () => {
    fakeSsh();
    const engine = launch();
    await until("the start", () => place.read("told") !== "");
    engine.terminate();
    expect(await engine.gone).toMatchObject({ ok: true, proven: true });
  });

  it.each([
    ["Host key verification failed.", "log in once by hand: ssh worker1"],
    [
      "bob@worker1: Permission denied (publickey,password).",
      "a login without a password is needed; try: ssh -o BatchMode=yes worker1 true",
    ],
    ["ssh: Could not resolve hostname worker1: Name or service not known", "check the name"],
    ["ssh: connect to host worker1 port 22: Connection refused", "does an ssh server run there?"],
    [
      "ssh: connect to host worker1 port 22: Connection timed out",
      "is it up, and can it be reached from here?",
    ],
    ["ssh: connect to host worker1 port 22: No route to host", "is it up, and can it be reached from here?"],
  ])("says why a host cannot be reached in ssh's own words, and what may help: %s", async (words, hint) => {
    fakeSsh(`echo 'Authorized users only!' >&2; echo '${words}' >&2; exit 255`);
    const engine = launch();
    engine.begin(config("wait"));
    expect(await engine.gone).toEqual({
      ok: false,
      message: `cannot reach worker1: ${words.replace(/\.$/, "")}; ${hint}`,
      proven: false,
      exitStatus: 255,
    });
  });

  it("says what else a host answers", async () => {
    fakeSsh("echo This account is currently not available.; exit 1");
    expect(await launch().gone).toMatchObject({
      message: "cannot reach worker1: This account is currently not available",
      exitStatus: 1,
    });
    fakeSsh("exit 3");
    expect((await launch().gone).message).toBe("cannot reach worker1: ssh ended with exit status 3");
  });

  it("says when there is no ssh at all", async () => {
    const env = { PATH: place.dir };
    const bare = new SshMethod({ node: "/n", engineScript: "/e", cwd: "/", env, leaseMs: 60_000 });
    expect(await launch("worker1", bare).gone).toEqual({
      ok: false,
      message: "cannot start an engine on worker1: ssh is not on PATH",
      proven: true,
      exitStatus: 127,
    });
  });

  it("sets up at most 32 sessions at a time, and all of them in the end; those that are called off make room", async () => {
    fakeSsh('echo "$host" >>"$DIR/begun"; while [ ! -e "$DIR/go" ]; do sleep 0.05; done; exit 255');
    const from = method();
    const many = Array.from({ length: 40 }, (_, index) => launch(`w${index}`, from));
    const begun = () => place.read("begun").trim().split("\n");
    await until("32 sessions", () => begun().length === 32);
    const last = many.at(-1);
    last?.terminate();
    expect(await last?.gone).toEqual({ ok: true, message: "", proven: true, exitStatus: 0 });
    expect(begun()).toHaveLength(32);
    place.write("go", "");
    await Promise.all(many.map((each) => each.gone));
    expect(new Set(begun())).toEqual(new Set(many.slice(0, -1).map((_, index) => `w${index}`)));
  });
});
