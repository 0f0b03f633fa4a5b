import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { until } from "../e2e/harness.js";
import { Cluster, network } from "./cluster.js";
import { useCluster } from "./use-cluster.js";

const place = useCluster("slurm", "ssh");

/** Runs a command on a machine; its exit status and first line of output. */
function on(cluster: Cluster, name: string, ...command: readonly string[]): readonly [number | null, string] {
  const [program = "", ...args] = [...cluster.onMachine(name), ...command];
  const { status, stdout } = spawnSync(program, args, { encoding: "utf8", timeout: 20_000 });
  return [status, stdout.split("\n")[0] ?? ""];
}

describe("the test cluster", () => {
  it("has nodes that Slurm gives to jobs, with GPUs where they are configured", async () => {
    expect(await place().sh("srun -N4 hostname | sort | xargs")).toBe("node01 node02 node03 node04");
    const script = `srun -Q -n4 -G4 --gpus-per-task=1 bash -c 'echo $HOSTNAME $CUDA_VISIBLE_DEVICES' | sort | xargs`;
    expect(await place().sh(script)).toBe("node01 0 node01 1 node02 0 node02 1");
  });

  it("has hosts that one reaches by ssh, each with a name and a /tmp of its own, and one that has another key", async () => {
    const { cluster } = place();
    expect(on(cluster, "login", "ssh", "worker1", "hostname; touch /tmp/mine")).toEqual([0, "worker1"]);
    expect(cluster.temporaryFiles("worker1")).toEqual(["mine"]);
    expect(on(cluster, "worker2", "ssh", "worker1", "rm /tmp/mine; hostname")).toEqual([0, "worker1"]);
    expect(on(cluster, "login", "ssh", "-oBatchMode=yes", "stranger", "true")[0]).toBe(255);
  });

  it("has machines that go off, come back, and freeze", async () => {
    const { cluster } = place();
    await cluster.order("kill", "worker1");
    expect(on(cluster, "login", "ssh", "-oConnectTimeout=1", "worker1", "true")[0]).toBe(255);
    await cluster.order("on", "worker1");
    expect(on(cluster, "login", "ssh", "worker1", "hostname")).toEqual([0, "worker1"]);
    await cluster.order("off", "node03");
    await cluster.order("on", "node03");
    expect(on(cluster, "login", "srun", "-w", "node03", "hostname")).toEqual([0, "node03"]);
    await cluster.order("freeze", "worker2");
    expect(on(cluster, "login", "timeout", "1", "ssh", "worker2", "true")[0]).toBe(124);
    await cluster.order("thaw", "worker2");
    expect(on(cluster, "login", "ssh", "worker2", "hostname")).toEqual([0, "worker2"]);
  });

  it("has links that can be cut, over which a session goes on when they are mended", async ({ skip }) => {
    if (network === "shared") skip("the machines share one network (TASKMUSTER_CLUSTER_NETWORK=shared)");
    const session = place().shell("ssh worker2 'echo begun; read -r line; echo $line'");
    await until("the session begins", () => session.stdout === "begun\n" || session.stdout);
    await place().cluster.order("cut", "worker2");
    expect(on(place().cluster, "login", "ssh", "-oConnectTimeout=1", "worker2", "true")[0]).toBe(255);
    session.child.stdin?.write("on it goes\n");
    await place().cluster.order("join", "worker2");
    expect(await session.finished).toMatchObject({ code: 0, stdout: "begun\non it goes\n" });
  });

  it("leaves nothing behind when the process dies that it hangs on", async () => {
    const other = await Cluster.start(["slurm", "ssh"]);
    expect(on(other, "login", "srun", "-N4", "true")[0]).toBe(0);
    process.kill(other.pid, "SIGKILL");
    await until("all its processes are gone", () => {
      const { stdout } = spawnSync("pgrep", ["-fa", `${other.dir}/`], { encoding: "utf8" });
      return stdout === "" || stdout;
    });
    await other.stop().catch(() => undefined);
    expect(existsSync(other.dir)).toBe(false);
  });
});
