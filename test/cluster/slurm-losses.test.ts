import { describe, expect, it } from "vitest";
import { type Running, until } from "../e2e/harness.js";
import { account, attempts, journalled, lostOn } from "./journal.js";
import { untilLetGo } from "./rendezvous.js";
import { useCluster } from "./use-cluster.js";
import { bashWord } from "./words.js";

const place = useCluster("slurm");

/** Serves six tasks; two of them run on node01, in the job that will be lost, until that is. */
async function serveWithVictim(
  sbatch: string,
  ...options: readonly string[]
): Promise<readonly [Running, string]> {
  place().write("tasks", journalled(6, untilLetGo));
  const driver = await place().serve(...options);
  const victim = await place().sbatch(`--ntasks=2 --nodelist=node01 ${sbatch} tasks_dbUtil.sh`);
  await until(
    "two tasks run on node01",
    () => attempts(place()).length === 2 || place().outputOf(victim),
    30_000,
  );
  return [driver, victim];
}

/** A job on node02 does the rest, what was lost included. */
async function finishElsewhere(driver: Running): Promise<void> {
  place().letGo("node02");
  await place().sbatch("--ntasks=2 --nodelist=node02 tasks_dbUtil.sh");
  const { stdout } = await place().ends(driver);
  expect(stdout).toContain("6 done");
  expect(stdout).not.toContain("failed");
  account(place(), 6);
  // One more where a task was killed, and the next one begun in its slot, before the engine heard of the end itself.
  expect(lostOn(place(), "node01")).toBeGreaterThanOrEqual(2);
}

async function noEngineOn(host: string): Promise<void> {
  await until(`no engine runs on ${host}`, () => {
    const left = place()
      .cluster.processes(host)
      .filter(({ command }) => command.includes("engine.js"));
    return left.length === 0 || left;
  });
}

describe("driver -S, when a job ends that has tasks running", () => {
  it("runs them again elsewhere after scancel", async () => {
    const [driver, victim] = await serveWithVictim("");
    await place().sh(`scancel ${victim}`);
    await place().jobIs(victim, "CANCELLED");
    await finishElsewhere(driver);
  });

  it("runs them again elsewhere when its time is up", async () => {
    const [driver, victim] = await serveWithVictim("--time=60");
    await place().sh(`scontrol update JobId=${victim} EndTime=now+1`);
    await place().jobIs(victim, "TIMEOUT", 80_000);
    await finishElsewhere(driver);
  });

  it("starts none that would not end in time, where it is told when its time is up", async () => {
    place().write("tasks", journalled(30, "sleep 1"));
    const driver = await place().serve();
    const script =
      "export SLURM_JOB_END_TIME=$(($(date +%s) + 12)); echo $SLURM_JOB_END_TIME > ends; exec ./tasks_dbUtil.sh";
    const job = await place().sbatch(`--ntasks=2 --nodelist=node01 --wrap=${bashWord(script)}`);
    await place().jobIs(job, "COMPLETED");
    await place().sbatch("--ntasks=4 --nodelist=node02 tasks_dbUtil.sh");
    await place().ends(driver);
    const all = account(place(), 30);
    expect(all).toHaveLength(30);
    const here = all.filter(({ host }) => host === "node01");
    expect(here.length).toBeGreaterThanOrEqual(6);
    expect(here.at(-1)?.start).toBeLessThan(Number(place().read("ends")) - 0.8);
  });

  it("hands them back on the signal that warns of its end", async () => {
    const [driver, victim] = await serveWithVictim("");
    await place().sh(`scancel --signal=USR1 ${victim}`);
    await noEngineOn("node01");
    await finishElsewhere(driver);
  });

  it("runs them again in the same job when it was preempted and starts anew", async () => {
    const [driver, victim] = await serveWithVictim("--exclusive --requeue --open-mode=append");
    const urgent = await place().sbatch(
      "--partition=urgent --nodelist=node01 --exclusive --wrap='exec sleep 1000'",
    );
    await place().jobIs(urgent, "RUNNING");
    expect(await place().stateOf(victim)).toBe("PENDING");
    await noEngineOn("node01");
    place().letGo("node01");
    await place().sh(`scancel ${urgent}`);
    await place().ends(driver);
    account(place(), 6);
    expect(lostOn(place(), "node01")).toBeGreaterThanOrEqual(2);
    await place().jobIs(victim, "COMPLETED");
  });

  it("runs them again elsewhere when its node loses power, once the lease is over", async () => {
    const [driver, victim] = await serveWithVictim("--no-requeue", "--lease", "10");
    await place().cluster.order("off", "node01");
    await finishElsewhere(driver);
    await place().jobIs(victim, "NODE_FAIL");
  });

  it("goes on with the other nodes of a job that loses one", async () => {
    place().write("tasks", journalled(8, untilLetGo));
    const driver = await place().serve("--lease", "10");
    const job = await place().sbatch(
      "--no-kill --no-requeue --nodelist=node03,node04 --ntasks-per-node=2 tasks_dbUtil.sh",
    );
    await until("four tasks run", () => attempts(place()).length === 4 || place().outputOf(job), 30_000);
    await place().cluster.order("kill", "node04");
    place().letGo("node03");
    await place().ends(driver);
    const all = account(place(), 8);
    expect(lostOn(place(), "node04")).toBe(2);
    expect(all.filter(({ host }) => host === "node03")).toHaveLength(8);
    await place().jobIs(job, "COMPLETED");
  });
});

describe("dbutil retire", () => {
  it("lets an engine finish what it runs, and hands its node back", async () => {
    const stop = "#DISBATCH PERENGINE STOP hostname >> stopped";
    place().write("tasks", `${stop}\n${journalled(10, untilLetGo)}`);
    const driver = await place().serve();
    const job = await place().sbatch("--nodelist=node03,node04 --ntasks-per-node=2 tasks_dbUtil.sh");
    await until("four tasks run", () => attempts(place()).length === 4 || place().outputOf(job), 30_000);
    await place().dbutil("retire", "--run", "run", "node04");
    place().letGo("node04");
    await until("node04 is handed back", async () => {
      const hosts = await place().hostsOf(job);
      return hosts.join(" ") === "node03" || [hosts, place().outputOf(job)];
    });
    expect(place().read("stopped")).toBe("node04\n");
    place().letGo("node03");
    await place().ends(driver);
    const all = account(place(), 10);
    expect(all).toHaveLength(10);
    expect(all.filter(({ host }) => host === "node04")).toHaveLength(2);
    await place().jobIs(job, "COMPLETED");
  });

  it("lets a whole context go, whose job ends", async () => {
    place().write("tasks", journalled(10, untilLetGo));
    const driver = await place().serve();
    const job = await place().sbatch("--nodelist=node01,node02 --ntasks-per-node=1 tasks_dbUtil.sh");
    await until("two tasks run", () => attempts(place()).length === 2 || place().outputOf(job), 30_000);
    await place().dbutil("retire", "--run", "run", `J${job}`);
    place().letGo("node01");
    place().letGo("node02");
    await place().jobIs(job, "COMPLETED");
    expect(attempts(place())).toHaveLength(2);
    place().letGo("node03");
    await place().sbatch("--nodelist=node03 --ntasks=4 tasks_dbUtil.sh");
    await place().ends(driver);
    expect(account(place(), 10)).toHaveLength(10);
  });
});
