import { beforeEach, describe, expect, it } from "vitest";
import { until } from "../e2e/harness.js";
import { account, attempts, ended, journalled, lostOn } from "./journal.js";
import { untilLetGo } from "./rendezvous.js";
import { network } from "./cluster.js";
import { useCluster } from "./use-cluster.js";

const place = useCluster("ssh");

beforeEach(({ skip }) => {
  if (network === "shared") skip("the machines share one network (TASKMUSTER_CLUSTER_NETWORK=shared)");
});

describe("a link that goes down", () => {
  it("costs nothing when it comes back before the lease is over", async () => {
    place().write("tasks", journalled(60, "sleep 0.4"));
    const driver = place().start(["-s", "worker1:2,worker2:2", "--lease", "15", "-p", "run", "tasks"]);
    await until(
      "both hosts work",
      () => new Set(attempts(place()).map(({ host }) => host)).size === 2 || driver.stderr,
      30_000,
    );
    await place().cluster.order("cut", "worker2");
    const cut = performance.now();
    // Two slots of the other host go on: that is 4 s at least.
    const before = ended(place());
    await until("the other host goes on", () => ended(place()) >= before + 20);
    expect(performance.now() - cut).toBeLessThan(12_000);
    await place().cluster.order("join", "worker2");
    const joined = attempts(place()).filter(({ host }) => host === "worker2").length;
    await until(
      "the host works again",
      () => attempts(place()).filter(({ host }) => host === "worker2").length > joined + 2 || driver.stderr,
    );
    await place().ends(driver);
    const all = account(place(), 60);
    expect(all).toHaveLength(60);
  });

  it("costs what runs behind it when it stays down for longer: that is dead before it runs elsewhere", async () => {
    place().write("tasks", journalled(6, untilLetGo));
    const driver = place().start(["-s", "worker1:4,worker2:2", "--lease", "6", "-p", "run", "tasks"]);
    await until("six tasks run", () => attempts(place()).length === 6 || driver.stderr, 30_000);
    await place().cluster.order("cut", "worker2");
    place().letGo("worker1");
    await place().ends(driver);
    account(place(), 6);
    expect(lostOn(place(), "worker2")).toBe(2);
    // Its tasks are dead long since; the engine itself waits for the store two leases and half a minute.
    const behind = () =>
      place()
        .cluster.processes("worker2")
        .filter(({ command }) => !command.startsWith("sshd"));
    expect(behind().filter(({ command }) => command.includes("bash -c"))).toEqual([]);
    await until("nothing of it runs behind the cut", () => behind().length === 0 || behind(), 60_000);
  });
});
