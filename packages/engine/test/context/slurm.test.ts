import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { EngineHandle } from "../../src/context/engine-handle.js";
import { SlurmMethod } from "../../src/context/slurm.js";
import { Place, config, plan, until } from "./rig.js";

let place: Place;
let notices: string[];
const handles: EngineHandle[] = [];

beforeEach(() => {
  place = new Place();
  notices = [];
  fakeScontrol("Nodes=node[01-02] CPU_IDs=0-3 Mem=2000 GRES=gpu:2(IDX:0-1)");
  fakeSrun();
});

afterEach(async () => {
  for (const handle of handles.splice(0)) {
    handle.kill();
    await handle.gone;
  }
  place.remove();
});

/** Programs that take the places of Slurm's: note what they are told, and run the command here. */
function fakeSrun(before = "", after = "") {
  place.program(
    "srun",
    `printf '%s\\n' "$*" >>"$DIR/arguments"; env | sort >"$DIR/srun-environment"
${before}
while [ "$1" != /bin/sh ]; do shift; done
"$@"; s=$?
${after}
exit $s`,
  );
}

function fakeScontrol(shown: string) {
  place.program("scontrol", `echo "$*" >>"$DIR/asked"; echo '   ${shown}'`);
}

const job = {
  SLURM_JOB_ID: "77",
  SLURM_JOB_NODELIST: "node[01-02]",
  SLURM_JOB_CPUS_PER_NODE: "4(x2)",
  SLURM_TASKS_PER_NODE: "2(x2)",
  SLURM_NTASKS: "4",
  SLURM_MEM_PER_CPU: "500",
  SLURM_LABELIO: "1",
};

function method(env: NodeJS.ProcessEnv = {}): SlurmMethod {
  return new SlurmMethod({
    node: process.execPath,
    engineScript: place.engine,
    cwd: place.dir,
    env: { ...place.env, ...job, ...env },
    onNotice: (message) => notices.push(message),
  });
}

function launch(host = "node01", from = method()): EngineHandle {
  const handle = from.launch(plan(host));
  handles.push(handle);
  return handle;
}

describe("an engine by srun", () => {
  it("is one task of a step on one node, with all that the job holds there", async () => {
    const engine = launch();
    engine.begin(config("exit 0"));
    expect(await engine.gone).toEqual({ ok: true, message: "", proven: true, exitStatus: 0 });
    expect(place.read("arguments")).toBe(
      `-N1 -n1 -w node01 --kill-on-bad-exit=0 -c 4 --gres=gpu:2 /bin/sh -c IFS= read -r l; eval "$l"\n`,
    );
    const environment = place.read("srun-environment").split("\n");
    expect(environment).toContain("SLURM_JOB_ID=77");
    expect(environment).toContain("SLURM_CPU_BIND=cores");
    expect(environment).toContain("SLURM_MPI_TYPE=none");
    for (const name of ["SLURM_NTASKS", "SLURM_TASKS_PER_NODE", "SLURM_MEM_PER_CPU", "SLURM_LABELIO"])
      expect(environment.filter((line) => line.startsWith(`${name}=`))).toEqual([]);
  });

  it("leaves to tasks what the job says of memory", async () => {
    const engine = launch();
    engine.begin(config("exit 0"));
    await engine.gone;
    expect(JSON.parse(place.read("environment"))).toMatchObject({ SLURM_MEM_PER_CPU: "500" });
  });

  it("asks Slurm once what the job holds, and does without where it does not tell", async () => {
    const from = method();
    await Promise.all(
      ["node01", "node02"].map((host) => {
        const engine = launch(host, from);
        engine.begin(config("exit 0"));
        return engine.gone;
      }),
    );
    expect(place.read("asked")).toBe("-d show job 77\n");
    place.program("scontrol", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
    const engine = launch();
    engine.begin(config("exit 0"));
    expect(await engine.gone).toMatchObject({ ok: true });
    expect(place.read("arguments").trim().split("\n").at(-1)).not.toContain("gres");
    expect(notices).toEqual([]);
  });

  it("says when the GPUs cannot be had", async () => {
    fakeScontrol(
      "Nodes=node01 CPU_IDs=0-3 Mem=2000 GRES=gpu:2(IDX:0-1) Nodes=node02 CPU_IDs=0-3 Mem=2000 GRES=",
    );
    const engine = launch();
    engine.begin(config("exit 0"));
    await engine.gone;
    expect(notices).toEqual([expect.stringContaining("different numbers of GPUs")]);
  });

  it("says in the engine's words how that failed, not in srun's", async () => {
    fakeSrun("", "echo 'srun: error: node01: task 0: Exited with exit code 4' >&2");
    const engine = launch();
    engine.begin(config("say engine: the run has ended; nothing to join 4"));
    expect(await engine.gone).toMatchObject({
      message: "the engine on node01 ended with exit status 4: engine: the run has ended; nothing to join 4",
      proven: true,
      exitStatus: 4,
    });
  });

  it("takes srun's own end for no proof, and says what srun says", async () => {
    fakeSrun("echo 'srun: error: Node failure on node01' >&2; exit 0");
    const engine = launch();
    engine.begin(config("wait"));
    expect(await engine.gone).toEqual({
      ok: false,
      message: "node01 is lost: Node failure on node01",
      proven: false,
      exitStatus: 1,
    });
  });

  it("says, once, when the step has to wait", async () => {
    const waits = "srun: Job 77 step creation temporarily disabled, retrying (Requested nodes are busy)";
    fakeSrun(`echo '${waits}' >&2; echo '${waits}' >&2`);
    const engine = launch();
    engine.begin(config("wait"));
    await until("its beginning", () => place.told("begin e1 3"));
    expect(notices).toEqual([
      "the step on node01 cannot start yet: Job 77 step creation temporarily disabled, retrying (Requested nodes are busy)",
    ]);
    engine.terminate();
    expect(await engine.gone).toMatchObject({ ok: true });
  });

  it("says when there is no srun", async () => {
    const bare = new SlurmMethod({
      node: "/n",
      engineScript: "/e",
      cwd: "/",
      env: { PATH: "/nowhere" },
      onNotice: () => undefined,
    });
    expect(await launch("node01", bare).gone).toMatchObject({
      message: "cannot start an engine on node01: srun is not on PATH",
      proven: true,
    });
  });

  it("takes srun's options from the file that the user names", async () => {
    const file = place.write("options", "SLURM_CPU_BIND=verbose,none\nSLURM_EXPORT_ENV=ALL\n\nX=a=b c\n");
    const engine = launch("node01", method({ DISBATCH_SLURM_SRUN_OPTIONS_FILE: file }));
    engine.begin(config("exit 0"));
    await engine.gone;
    const environment = place.read("srun-environment").split("\n");
    expect(environment).toContain("SLURM_CPU_BIND=verbose,none");
    expect(environment).toContain("X=a=b c");
    expect(environment.filter((line) => line.startsWith("SLURM_MPI_TYPE="))).toEqual([]);
  });

  it("refuses a file of options that it cannot read, or that has a bad line", () => {
    const file = place.write("options", "A=1\nno option\n");
    expect(() => method({ DISBATCH_SLURM_SRUN_OPTIONS_FILE: file })).toThrow(
      `DISBATCH_SLURM_SRUN_OPTIONS_FILE: ${file}, line 2: "no option" is not of the form NAME=VALUE`,
    );
    expect(() => method({ DISBATCH_SLURM_SRUN_OPTIONS_FILE: "/no/such" })).toThrow(/ENOENT.*\/no\/such/);
  });
});
