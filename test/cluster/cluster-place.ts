import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { type Finished, Place, type Running, until } from "../e2e/harness.js";
import type { Cluster } from "./cluster.js";

export const dbutil = fileURLToPath(new URL("../../bin/dbutil", import.meta.url));

/** A test's directory on the shared file system, its commands run on the cluster's login machine. */
export class ClusterPlace extends Place {
  readonly cluster: Cluster;

  constructor(cluster: Cluster) {
    super({ parent: `${cluster.dir}/share`, through: cluster.onMachine("login") });
    this.cluster = cluster;
  }

  /** A shell command on login that must succeed; answers what it printed. */
  async sh(script: string): Promise<string> {
    const { code, stdout, stderr } = await this.slurm(script).finished;
    expect(code, `${script}: ${stderr}`).toBe(0);
    return stdout.trim();
  }

  /** A shell command for Slurm, which would make our directory for temporary files on other machines and leave it there. */
  slurm(script: string): Running {
    return this.shell(`unset TMPDIR; ${script}`);
  }

  /** Submits a job, as `sbatch ARGS` with words of bash, and answers its id. */
  async sbatch(args: string): Promise<string> {
    const id = await this.sh(`sbatch --parsable ${args}`);
    expect(id).toMatch(/^\d+$/);
    return id;
  }

  /** `RUNNING`, `COMPLETED`, ...: the distinct states of a job and, if it is an array, of all in it. */
  async stateOf(job: string): Promise<string> {
    const states = await this.sh(`squeue --noheader --states=all --jobs=${job} --format=%T`);
    return [...new Set(states.split("\n"))].toSorted((a, b) => a.localeCompare(b)).join(" ");
  }

  async jobIs(job: string, state: string, deadlineMs = 30_000): Promise<void> {
    await until(
      `job ${job} is ${state}`,
      async () => {
        const seen = await this.stateOf(job);
        return seen === state || [seen, this.outputOf(job)];
      },
      deadlineMs,
    );
  }

  /** Hosts of a job, in order. */
  async hostsOf(job: string): Promise<readonly string[]> {
    const list = await this.sh(`squeue --noheader --states=all --jobs=${job} --format=%N`);
    return list === "" ? [] : (await this.sh(`scontrol show hostnames ${list}`)).split("\n");
  }

  /** Lets the tasks on a host come to their end that wait for that (`untilLetGo`). */
  letGo(host: string): void {
    this.write(`go.${host}`, "");
  }

  /** The program that watches and steers, which must succeed; answers what it printed. */
  async dbutil(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.command(dbutil, args).finished;
    expect(code, `dbutil ${args.join(" ")}: ${stderr}`).toBe(0);
    return stdout;
  }

  /** What a batch job printed so far, from where sbatch puts it. */
  outputOf(job: string): string {
    const name = `slurm-${job}.out`;
    return this.files().includes(name) ? this.read(name) : "";
  }

  /** Starts `driver -S -p run tasks ...` and waits until resources may be added. */
  async serve(...args: readonly string[]): Promise<Running> {
    const driver = this.start(["-S", "-p", "run", ...args, "tasks"]);
    await until("resources may be added", () => {
      if (driver.child.exitCode !== null) throw new Error(`the driver ended: ${driver.stderr}`);
      return this.files().includes("tasks_dbUtil.sh") || driver.stderr;
    });
    return driver;
  }

  /** The driver ended well, by itself. */
  async ends(driver: Running, deadlineMs = 90_000): Promise<Finished> {
    await until(
      "the driver ends",
      () => driver.child.exitCode !== null || [driver.stdout, driver.stderr],
      deadlineMs,
    );
    const finished = await driver.finished;
    expect(finished.code, finished.stderr).toBe(0);
    return finished;
  }

  /** Nothing of the test runs on a machine, waits in the queue, or lies in a machine's /tmp. */
  override async clean(): Promise<void> {
    const { cluster } = this;
    const slurm = cluster.names.includes("node01");
    try {
      await cluster.mend();
      if (slurm) {
        await until("no job is left", async () => {
          const jobs = await this.sh("squeue --noheader --format='%i %T %j'");
          return jobs === "" || jobs;
        });
      }
      for (const name of cluster.names) {
        await until(`nothing runs on ${name}`, () => {
          const left = cluster.processes(name);
          return left.length === 0 || left;
        });
        expect(cluster.temporaryFiles(name), `files left in /tmp of ${name}`).toEqual([]);
      }
    } finally {
      if (slurm) await this.sh("scancel --user=root; scancel --state=PENDING --user=root");
      for (const name of cluster.names) {
        for (const { pid } of cluster.processes(name)) process.kill(pid, "SIGKILL");
        cluster.removeTemporaryFiles(name);
      }
      await super.clean();
    }
  }
}
