import { describe, expect, it } from "vitest";
import { until } from "../e2e/harness.js";
import { account, attempts, journalled, lostOn, widths } from "./journal.js";
import { rendezvous, untilLetGo } from "./rendezvous.js";
import { dbutil } from "./cluster-place.js";
import { useCluster } from "./use-cluster.js";

const place = useCluster("ssh");

const workers = ["worker1", "worker2", "worker3"];

/** Our processes on a host. */
function ours(host: string, words: string): readonly number[] {
  return place()
    .cluster.processes(host)
    .filter(({ command }) => command.includes(words))
    .map(({ pid }) => pid);
}

describe("driver -s HOST:N by ssh", () => {
  it("runs tasks on all hosts, in this directory, whatever its name", async () => {
    place().write("tasks", rendezvous(6, "pwd > cwd"));
    const { code, stderr } = await place().run(["-s", "worker1:2,worker2:2,worker3:2", "-p", "run", "tasks"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    account(place(), 12);
    expect(widths(place())).toEqual({ worker1: 2, worker2: 2, worker3: 2 });
    expect(place().read("cwd")).toBe(`${place().dir}\n`);
  });

  it("takes the hosts from DISBATCH_SSH_NODELIST too, and itself without ssh", async () => {
    place().write("tasks", rendezvous(3));
    const env = { DISBATCH_SSH_NODELIST: "worker1:2,localhost:1" };
    const { code, stderr } = await place().run(["-p", "run", "tasks"], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    account(place(), 6);
    expect(widths(place())).toEqual({ worker1: 2, login: 1 });
  });

  it("names each host that cannot be used and why, and goes on with the others", async () => {
    await place().cluster.order("off", "worker3");
    place().write("tasks", journalled(10, "sleep 0.1"));
    const driver = place().start(["-s", "worker1:2,worker3:2,stranger:1,ghost:1", "-p", "run", "tasks"]);
    const { stderr } = await place().ends(driver);
    expect(stderr).toMatch(/worker3.*(timed out|no route|refused|not been heard of)/i);
    expect(stderr).toMatch(/stranger.*host key/i);
    expect(stderr).toMatch(/ghost.*resolve/i);
    expect(new Set(account(place(), 10).map(({ host }) => host))).toEqual(new Set(["worker1"]));
  });

  it("runs the tasks of an engine again that was killed, after they are dead", async () => {
    place().write("tasks", journalled(8, untilLetGo));
    const hosts = workers.map((name) => `${name}:2`).join(",");
    const driver = place().start(["-s", hosts, "-p", "run", "tasks"]);
    await until("six tasks run", () => attempts(place()).length === 6 || driver.stderr, 30_000);
    const [engine, ...more] = ours("worker2", "engine.js");
    expect(more).toEqual([]);
    if (engine === undefined || engine <= 1) throw new Error("there is no engine on worker2");
    process.kill(engine, "SIGKILL");
    place().letGo("worker1");
    place().letGo("worker3");
    await place().ends(driver);
    account(place(), 8);
    expect(lostOn(place(), "worker2")).toBe(2);
  });

  it("leaves no engine behind on any host when the driver is killed", async () => {
    place().write("tasks", journalled(1000, "sleep 0.2"));
    const hosts = workers.map((name) => `${name}:2`).join(",");
    const driver = place().start(["-s", hosts, "--lease", "5", "-p", "run", "tasks"]);
    await until(
      "all hosts work",
      () => new Set(attempts(place()).map(({ host }) => host)).size === 3,
      30_000,
    );
    driver.kill("SIGKILL");
    await driver.finished;
    for (const name of workers) {
      await until(`nothing runs on ${name}`, () => ours(name, "").length === 0 || ours(name, ""), 60_000);
    }
  });

  it("is added to a run that serves, by its script and by dbutil", async () => {
    place().write("tasks", journalled(120, "sleep 0.2"));
    const driver = await place().serve();
    const script = place().shell('cd / && "$OLDPWD/run_dbUtil.sh" -s worker1:2 -l mine');
    const added = place().command(dbutil, ["add", "-s", "worker2:2", "--run", "run"]);
    await until(
      "both hosts work",
      () =>
        new Set(attempts(place()).map(({ host }) => host)).size === 2 || [
          script.stderr,
          added.stderr,
          driver.stderr,
        ],
      30_000,
    );
    await place().ends(driver);
    expect(await script.finished).toMatchObject({ code: 0 });
    expect(await added.finished).toMatchObject({ code: 0 });
    account(place(), 120);
  });
});
