import { readdirSync, readlinkSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Running, bin, until } from "../e2e/harness.js";
import { network } from "./cluster.js";
import { dbutil } from "./cluster-place.js";
import { account, attempts, ended, journalled } from "./journal.js";
import { untilLetGo } from "./rendezvous.js";
import { useCluster } from "./use-cluster.js";
import { bashWord } from "./words.js";

const place = useCluster("slurm", "ssh");

async function die(running: Running): Promise<void> {
  running.kill("SIGKILL");
  await running.finished;
}

async function work(...hosts: readonly string[]): Promise<void> {
  await until(
    `${hosts.join(", ")} work`,
    () => {
      const seen = new Set(attempts(place()).map(({ host }) => host));
      return hosts.every((host) => seen.has(host)) || [...seen];
    },
    40_000,
  );
}

async function more(count: number): Promise<void> {
  const before = ended(place());
  await until(`${count} more have ended`, () => ended(place()) >= before + count, 40_000);
}

/** On login, where the driver was that died, or on another host that has the same files. */
function recover(host: string, ...args: readonly string[]): Running {
  if (host === "login") return place().start(["--recover", "run", ...args]);
  const command = [bin, "--recover", "run", ...args].map(bashWord).join(" ");
  return place().shell(`ssh ${host} ${bashWord(`cd ${bashWord(place().dir)} && exec ${command}`)}`);
}

async function takenOver(running: Running): Promise<void> {
  await until("it has taken over", () => running.stderr.includes("were waiting") || running.stderr, 40_000);
}

/** No task began a second time, not even one after the other. */
function expectOnce(count: number): void {
  const tasks = account(place(), count).map(({ task }) => task);
  expect(tasks.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, id) => id));
}

/** The run's server on login: it writes its title over what tells whose it is, but lives in its own directory. */
function killServer(): string {
  for (const name of readdirSync("/proc").filter((each) => /^\d+$/.test(each))) {
    const pid = Number(name);
    const cwd = cwdOf(pid);
    if (pid <= 1 || !cwd.startsWith(`${place().tmp}/taskmuster-`)) continue;
    process.kill(pid, "SIGKILL");
    return cwd;
  }
  throw new Error("there is no server");
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return "";
  }
}

describe("driver --recover, with engines on other hosts", () => {
  it.each(["login", "worker4"])("goes on beside engines that ssh has started: on %s", async (host) => {
    place().write("tasks", journalled(60, "sleep 0.3"));
    const driver = place().start(["-s", "worker1:2,worker2:2", "--lease", "20", "-p", "run", "tasks"]);
    await work("worker1", "worker2");
    await die(driver);
    const recovering = recover(host);
    const { stderr, stdout } = await place().ends(recovering);
    expect(stderr).toContain("2 engine(s) of before on their hosts are at work on");
    expect(stdout).toContain("60 done");
    expectOnce(60);
    expect(new Set(attempts(place()).map(({ host: each }) => each))).toEqual(new Set(["worker1", "worker2"]));
  });

  it("goes on beside a Slurm job and a context of its own, here and then elsewhere", async () => {
    place().write("tasks", journalled(200, "sleep 0.3"));
    const driver = await place().serve("--lease", "20");
    const job = await place().sbatch("--nodes=2 --ntasks-per-node=2 tasks_dbUtil.sh");
    const script = place().shell("./run_dbUtil.sh -s worker1:2 -l mine");
    await until(
      "three hosts work",
      () => new Set(attempts(place()).map(({ host }) => host)).size === 3,
      40_000,
    );
    await die(driver);
    const second = recover("login");
    await takenOver(second);
    await more(10);
    await die(second);
    const third = recover("worker4");
    await place().ends(third);
    expectOnce(200);
    expect(await script.finished).toMatchObject({ code: 0 });
    await place().jobIs(job, "COMPLETED");
    const { code } = await place().command(dbutil, ["audit", "--list", "tasks", "run"]).finished;
    expect(code).toBe(0);
  });

  it("takes resources that are added after it", async () => {
    // The first ones end when all are there.
    const met =
      "until grep -q 'start.* worker2 ' journal && grep -q 'start.* node0' journal; do sleep 0.1; done";
    place().write("tasks", journalled(60, met));
    const driver = await place().serve("--lease", "20");
    const script = place().shell("./run_dbUtil.sh -s worker1:2");
    await work("worker1");
    await die(driver);
    const recovering = recover("worker4");
    await takenOver(recovering);
    const job = await place().sbatch("--nodes=1 --ntasks=2 tasks_dbUtil.sh");
    const added = place().shell("./run_dbUtil.sh -s worker2:2");
    await place().ends(recovering);
    expectOnce(60);
    expect(await script.finished).toMatchObject({ code: 0 });
    expect(await added.finished).toMatchObject({ code: 0 });
    await place().jobIs(job, "COMPLETED");
  });

  it("starts the store of before again on its host, and engines elsewhere come back to it", async () => {
    place().write("tasks", journalled(80, "sleep 0.3"));
    const driver = place().start(["-s", "worker1:2,worker2:2", "--lease", "20", "-p", "run", "tasks"]);
    await work("worker1", "worker2");
    await die(driver);
    const recovering = recover("login");
    await takenOver(recovering);
    killServer();
    const { stderr } = await place().ends(recovering);
    expect(stderr).toContain("is started again");
    expectOnce(80);
  });

  it("says what to do when the host of driver and store is gone, and with --assume-dead goes on after a lease", async () => {
    place().write("tasks", journalled(12, untilLetGo));
    const driver = place().start(["-s", "worker1:2,worker2:2", "--lease", "6", "-p", "run", "tasks"]);
    await work("worker1", "worker2");
    // As if its host had died: nobody ends the store in good order.
    process.kill(place().pidOf("keeper.js"), "SIGKILL");
    await die(driver);
    const directory = killServer();
    const refused = await recover("worker4").finished;
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("was started on login");
    expect(refused.stderr).toMatch(/driver --recover .*run'? --assume-dead/);
    place().letGo("worker3");
    const recovering = recover("worker4", "--assume-dead", "-s", "worker3:2");
    const { stderr } = await place().ends(recovering);
    expect(stderr).toContain("engines on other hosts may have been at work");
    expect(stderr).toContain("Nothing is run for 6 s");
    const all = account(place(), 12);
    const again = all.filter(({ task, start }) =>
      all.some((each) => each.task === task && each.start < start),
    );
    const audit = await place().command(dbutil, ["audit", "--json", "run"]).finished;
    expect(audit.code).toBe(4);
    for (const { task } of again) expect(audit.stdout).toMatch(new RegExp(`\\b${task}\\b`));
    // As it was left when its host died.
    rmSync(directory, { recursive: true });
  });

  it("says what to do when the store of another host dies after it was taken over", async () => {
    place().write("tasks", journalled(12, untilLetGo));
    const driver = place().start(["-s", "worker1:2,worker2:2", "--lease", "6", "-p", "run", "tasks"]);
    await work("worker1", "worker2");
    await die(driver);
    const second = recover("worker4");
    await takenOver(second);
    const keeper = place()
      .processes()
      .find(({ name }) => name.includes("keeper.js"));
    if (keeper !== undefined && keeper.pid > 1) process.kill(keeper.pid, "SIGKILL");
    const directory = killServer();
    await until("it says so", () => second.stderr.includes("is down for good") || second.stderr, 40_000);
    const [, kill = ""] = /replace this driver: (kill -9 \d+); driver --recover /.exec(second.stderr) ?? [];
    expect(kill).not.toBe("");
    await place().sh(`ssh worker4 ${kill}`);
    await second.finished;
    place().letGo("worker3");
    await place().ends(recover("worker4", "--assume-dead", "-s", "worker3:2"));
    account(place(), 12);
    rmSync(directory, { recursive: true });
  });

  it("shuts a driver out whose host was cut off, and lets it know when that is back", async ({ skip }) => {
    if (network === "shared") skip("the machines share one network (TASKMUSTER_CLUSTER_NETWORK=shared)");
    const port = "7641";
    const redis = place().command("redis-server", ["--port", port, "--save", "", "--protected-mode", "no"]);
    try {
      await until("Redis is there", async () =>
        (await place().command("redis-cli", ["-p", port, "ping"]).finished).stdout.startsWith("PONG"),
      );
      place().write("tasks", journalled(60, "sleep 0.5"));
      const args = [
        "-s",
        "worker1:2,worker2:2",
        "--lease",
        "20",
        "-p",
        "run",
        "--kvsserver",
        `login:${port}`,
      ];
      const command = [bin, ...args, "tasks"].map(bashWord).join(" ");
      const old = place().shell(`ssh worker3 ${bashWord(`cd ${bashWord(place().dir)} && exec ${command}`)}`);
      await work("worker1", "worker2");
      await place().cluster.order("cut", "worker3");
      const recovering = recover("login");
      await takenOver(recovering);
      await more(8);
      await place().cluster.order("join", "worker3");
      const shutOut = await old.finished;
      expect([shutOut.code, shutOut.stdout]).toEqual([
        1,
        expect.stringContaining("Another driver has taken this run over"),
      ]);
      await place().ends(recovering);
      expectOnce(60);
      expect((await place().command(dbutil, ["audit", "--list", "tasks", "run"]).finished).code).toBe(0);
    } finally {
      redis.kill("SIGTERM");
      await redis.finished;
    }
  });
});
