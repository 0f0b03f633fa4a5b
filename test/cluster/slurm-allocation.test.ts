import { availableParallelism } from "node:os";
import { describe, expect, it } from "vitest";
import { bin, until } from "../e2e/harness.js";
import { type Attempt, account, attempts, widths } from "./journal.js";
import { rendezvous } from "./rendezvous.js";
import { bashWord } from "./words.js";
import { useCluster } from "./use-cluster.js";

const place = useCluster("slurm");
const driver = bashWord(bin);

/** The value that each task wrote into `PREFIX.ID`. */
function told(prefix: string, { task }: Attempt): string {
  return place().read(`${prefix}.${task}`).trim();
}

/** Pairs of attempts that ran on the same host at the same time. */
function neighbours(all: readonly Attempt[]): readonly (readonly [Attempt, Attempt])[] {
  return all.flatMap((one, index) =>
    all
      .slice(index + 1)
      .filter((other) => other.host === one.host && other.start < (one.end ?? Infinity))
      .map((other) => [one, other] as const),
  );
}

describe("driver in a Slurm allocation", () => {
  it("finds it in a batch job whose script it is, and starts one engine on each node by one step", async () => {
    place().write("tasks", rendezvous(7));
    const job = await place().sbatch(`--nodes=3 --ntasks=7 ${driver} -p run tasks`);
    await until("seven tasks run", () => attempts(place()).length >= 7 || place().outputOf(job));
    const steps = await place().sh(`squeue --noheader --steps --jobs=${job} --format=%i`);
    const numbered = steps.split("\n").filter((step) => /\.\d+$/.test(step.trim()));
    expect(numbered.map((step) => step.trim()).toSorted((a, b) => a.localeCompare(b))).toEqual([
      `${job}.0`,
      `${job}.1`,
      `${job}.2`,
    ]);
    await place().jobIs(job, "COMPLETED");
    expect(new Set(account(place(), 14).map(({ engine }) => engine)).size).toBe(3);
  });

  it("takes as many tasks on each node as Slurm granted there, also when that differs", async () => {
    place().write("tasks", rendezvous(7));
    const script = `echo $SLURM_TASKS_PER_NODE; exec ${driver} -p run tasks`;
    const job = await place().sbatch(
      `--nodes=3 --ntasks=7 --distribution=block --nodelist=node01,node02,node03 --wrap=${bashWord(script)}`,
    );
    await place().jobIs(job, "COMPLETED");
    account(place(), 14);
    const granted = (place().outputOf(job).split("\n")[0] ?? "")
      .split(",")
      .flatMap((item) =>
        Array.from({ length: Number(/x(\d+)/.exec(item)?.[1] ?? 1) }, () => parseInt(item, 10)),
      );
    expect(granted.reduce((sum, slots) => sum + slots)).toBe(7);
    expect(new Set(granted).size).toBeGreaterThan(1);
    expect(widths(place())).toEqual(
      Object.fromEntries(granted.map((slots, index) => [`node0${index + 1}`, slots])),
    );
  });

  it.each([
    { sbatch: "--ntasks=2 --cpus-per-task=2", options: "", slots: 2, cores: 2 },
    { sbatch: "--ntasks=4", options: "-c 2", slots: 2, cores: 2 },
    { sbatch: "--ntasks=3", options: "-t 1", slots: 1, cores: 3 },
    { sbatch: "--ntasks=1 --exclusive", options: "", slots: 1, cores: 4 },
    { sbatch: "--ntasks=1 --exclusive", options: "--fill", slots: 4, cores: 1 },
    { sbatch: "--ntasks=2", options: "--fill -c 0.5", slots: 4, cores: 0 },
  ])("has the right slots for sbatch $sbatch driver $options", async (row) => {
    place().write("tasks", rendezvous(row.slots, "echo $DISBATCH_CORES_PER_TASK > cores.$DISBATCH_TASKID"));
    const job = await place().sbatch(`--nodelist=node03 ${row.sbatch} ${driver} ${row.options} -p run tasks`);
    await place().jobIs(job, "COMPLETED");
    const all = account(place(), 2 * row.slots);
    expect(Object.values(widths(place()))).toEqual([row.slots]);
    expect(new Set(all.map((attempt) => told("cores", attempt)))).toEqual(new Set([String(row.cores)]));
  });

  it("finds it in salloc, whose commands run elsewhere than the engines", async () => {
    place().write("tasks", rendezvous(2));
    const salloc = place().slurm(`salloc --quiet --nodes=2 --ntasks=2 ${driver} -p run tasks`);
    expect(await salloc.finished).toMatchObject({ code: 0, stderr: "" });
    account(place(), 4);
    expect(Object.values(widths(place()))).toEqual([1, 1]);
  });

  it("gives each task its own GPU", async () => {
    place().write("tasks", rendezvous(4, "echo $CUDA_VISIBLE_DEVICES > gpu.$DISBATCH_TASKID"));
    const job = await place().sbatch(`--ntasks=4 --gpus-per-task=1 ${driver} -g -p run tasks`);
    await place().jobIs(job, "COMPLETED");
    const all = account(place(), 8);
    expect(widths(place())).toEqual({ node01: 2, node02: 2 });
    for (const attempt of all) expect(["0", "1"]).toContain(told("gpu", attempt));
    for (const [one, other] of neighbours(all)) expect(told("gpu", one)).not.toBe(told("gpu", other));
  });

  it("gives each task its own cores", async ({ skip }) => {
    if (availableParallelism() < 2) skip("this machine has one core only");
    place().write("tasks", rendezvous(2, "taskset -cp $$ | sed 's/.*: //' > cpus.$DISBATCH_TASKID"));
    const job = await place().sbatch(`--nodes=1 --ntasks=2 ${driver} -p run tasks`);
    await place().jobIs(job, "COMPLETED");
    const all = account(place(), 4);
    for (const attempt of all) expect(told("cpus", attempt)).toMatch(/^\d+$/);
    for (const [one, other] of neighbours(all)) expect(told("cpus", one)).not.toBe(told("cpus", other));
  });

  it("starts its steps with what DISBATCH_SLURM_SRUN_OPTIONS_FILE says", async () => {
    place().write("srun options", "SLURM_CPU_BIND=none\nTM_OF_SRUN=yes it's me\n");
    place().write("tasks", 'echo "$TM_OF_SRUN" > out\n');
    const job = await place().sbatch(
      `--ntasks=1 --export=ALL,DISBATCH_SLURM_SRUN_OPTIONS_FILE="$PWD/srun options" ${driver} -p run tasks`,
    );
    await place().jobIs(job, "COMPLETED");
    expect(place().read("out")).toBe("yes it's me\n");
  });
});
