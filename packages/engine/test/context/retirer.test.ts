import { existsSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Retirer, type RetireCommand } from "../../src/context/retirer.js";
import { Place, until } from "./rig.js";

let place: Place;
let notices: string[];
let handedBack: (readonly string[])[];

beforeEach(() => {
  place = new Place();
  notices = [];
  handedBack = [];
});
afterEach(() => place.remove());

const note = `echo "$NODE|$NODES|$RETCODES|$ACTIVE|$RETIRED|\${DRIVER_NODE-none}" >>"$DIR/log"`;
const slurm: RetireCommand = { kind: "slurm" };

function retirer(
  command: string | RetireCommand,
  options: {
    ownNode?: string;
    quietMs?: number;
    longestMs?: number;
    timeoutMs?: number;
    env?: NodeJS.ProcessEnv;
  } = {},
): Retirer {
  return new Retirer({
    command: typeof command === "string" ? { kind: "command", command } : command,
    env: { ...place.env, ...options.env },
    ownNode: options.ownNode ?? null,
    onNotice: (message) => notices.push(message),
    onRetired: (hosts) => handedBack.push(hosts),
    quietMs: options.quietMs ?? 20,
    longestMs: options.longestMs ?? 10_000,
    ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
  });
}

function lines(name = "log"): readonly string[] {
  return place.read(name).split("\n").slice(0, -1);
}

describe("handing nodes back", () => {
  it("tells the user's command which, with what status, and what is left, in order", async () => {
    const each = retirer(note);
    each.retire({ host: "n2", exitStatus: 0 }, ["n1", "n3"]);
    await until("the first", () => lines().length === 1);
    each.retire({ host: "n1", exitStatus: -9 }, ["n3"]);
    await until("the second", () => lines().length === 2);
    expect(lines()).toEqual(["n2|n2|0|n1,n3|n2|none", "n1|n1|-9|n3|n2,n1|none"]);
    await each.close();
    expect(lines()).toHaveLength(2);
    expect(handedBack).toEqual([["n2"], ["n1"]]);
    expect(notices).toEqual([]);
  });

  it("gathers what comes in quick succession", async () => {
    const each = retirer(note, { quietMs: 100 });
    each.retire({ host: "n3", exitStatus: 0 }, ["n1", "n2"]);
    each.retire({ host: "n2", exitStatus: 7 }, ["n1"]);
    await until("the command", () => lines().length === 1);
    expect(lines()).toEqual(["n3,n2|n3,n2|0,7|n1|n3,n2|none"]);
    await each.close();
  });

  it("does not wait for quiet for ever", async () => {
    const each = retirer(note, { quietMs: 60_000, longestMs: 0 });
    each.retire({ host: "n3", exitStatus: 0 }, ["n1"]);
    await until("the command", () => lines().length === 1);
    await each.close();
  });

  it("runs one command at a time", async () => {
    const busy = `mkdir "$DIR/busy" || echo twice >>"$DIR/log"; while [ ! -e "$DIR/go" ]; do sleep 0.02; done; rmdir "$DIR/busy"; ${note}`;
    const each = retirer(busy, { quietMs: 0 });
    each.retire({ host: "n3", exitStatus: 0 }, ["n1", "n2"]);
    await until("the command", () => place.files().includes("busy"));
    each.retire({ host: "n2", exitStatus: 0 }, ["n1"]);
    each.retire({ host: "n1", exitStatus: 0 }, []);
    place.write("go", "");
    await until("both", () => lines().length === 2);
    expect(lines()).toEqual(["n3|n3|0|n1,n2|n3|none", "n2,n1|n2,n1|0,0||n3,n2,n1|none"]);
    await each.close();
  });

  it("runs what is pending at the end, when it is the user's", async () => {
    const each = retirer(note, { quietMs: 60_000 });
    each.retire({ host: "n1", exitStatus: 0 }, []);
    await each.close();
    expect(lines()).toEqual(["n1|n1|0||n1|none"]);
  });

  it("tells of a failure, in the command's words, and goes on", async () => {
    const each = retirer(`echo not allowed >&2; exit 3`);
    each.retire({ host: "n1", exitStatus: 0 }, ["n2"]);
    await until("a notice", () => notices.length === 1);
    expect(notices).toEqual([
      "cannot hand back n1: exit status 3 of: echo not allowed >&2; exit 3: not allowed",
    ]);
    each.retire({ host: "n2", exitStatus: 0 }, []);
    await each.close();
    expect(notices).toHaveLength(2);
    expect(handedBack).toEqual([]);
  });

  it("gives up on a command that does not end", async () => {
    const each = retirer(`echo trying; exec sleep 1000`, { timeoutMs: 200 });
    each.retire({ host: "n1", exitStatus: 0 }, ["n2"]);
    await until("a notice", () => notices.length === 1);
    expect(notices[0]).toContain("no end after 0.2 s of: echo trying");
    await each.close();
  });
});

describe("making a Slurm job smaller", () => {
  const env = { SLURM_JOB_ID: "42", SLURM_JOBID: undefined };

  beforeEach(() => {
    place.program("scontrol", `echo "$*" >>"$DIR/log"; pwd >>"$DIR/dirs"; touch slurm_job_42_resize.sh`);
  });

  it("keeps the nodes that still have an engine, and leaves no files of scontrol's about", async () => {
    const each = retirer(slurm, { env });
    each.retire({ host: "n2", exitStatus: 0 }, ["n1", "n3"]);
    await until("the command", () => handedBack.length === 1);
    expect(lines()).toEqual(["update JobId=42 NodeList=n1,n3"]);
    const [dir = ""] = lines("dirs");
    expect(dir).toMatch(/taskmuster-retire-/);
    await until("its removal", () => !existsSync(dir));
    await each.close();
  });

  it("keeps the node that we are on ourselves", async () => {
    const each = retirer(slurm, { env, ownNode: "n1", quietMs: 0 });
    each.retire({ host: "n1", exitStatus: 0 }, ["n2", "n3", "n4"]);
    each.retire({ host: "n2", exitStatus: 0 }, ["n3", "n4"]);
    await until("the command", () => handedBack.length === 1);
    expect(lines()).toEqual(["update JobId=42 NodeList=n1,n3,n4"]);
    await each.close();
  });

  it("is not done for the last nodes: the job ends, and no job can be without nodes", async () => {
    const each = retirer(slurm, { env, quietMs: 60_000 });
    each.retire({ host: "n1", exitStatus: 0 }, ["n2"]);
    each.retire({ host: "n2", exitStatus: 0 }, []);
    await each.close();
    expect(lines()).toEqual([]);
    expect(notices).toEqual([]);
  });
});
