import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "../e2e/harness.js";

const machines = fileURLToPath(new URL("machines/", import.meta.url));
const repository = fileURLToPath(new URL("../../", import.meta.url));

export type Part = "slurm" | "ssh";
export type Order = "off" | "kill" | "on" | "freeze" | "thaw" | "cut" | "join";

/** Whether each machine has a network of its own, which can be cut off. */
export const network: "own" | "shared" =
  process.env["TASKMUSTER_CLUSTER_NETWORK"] === "shared" ? "shared" : "own";

/** What this machine lacks for a cluster, a line each with the way to get it. */
export function whatIsMissing(parts: readonly Part[]): readonly string[] {
  if (process.platform !== "linux") return ["it takes Linux"];
  const { status, stdout, stderr } = spawnSync(path.join(machines, "cluster"), ["--check", ...flags(parts)], {
    encoding: "utf8",
    timeout: 20_000,
  });
  if (status === 0) return [];
  return `${stdout}${stderr}`
    .trim()
    .split("\n")
    .map((line) => (line === "" ? `test/cluster/machines/cluster --check: status ${status}` : line));
}

function flags(parts: readonly Part[]): readonly string[] {
  return [...parts.map((part) => `--${part}`), ...(network === "shared" ? ["--shared-network"] : [])];
}

/** Machines on this machine, as `machines/cluster` makes them; they end with this process, however it ends. */
export class Cluster {
  /** On all machines; the rest of /tmp is each one's own. */
  readonly dir: string;
  readonly names: readonly string[];
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #undo = new Map<string, Order>();
  #output = "";
  #errors = "";

  static async start(parts: readonly Part[]): Promise<Cluster> {
    const cluster = new Cluster(parts);
    await cluster.#hears("ready");
    return cluster;
  }

  private constructor(parts: readonly Part[]) {
    this.dir = mkdtempSync("/tmp/tmc.");
    this.names = [
      ...(parts.includes("slurm") ? ["node01", "node02", "node03", "node04"] : []),
      ...(parts.includes("ssh") ? ["worker1", "worker2", "worker3", "worker4"] : []),
    ];
    const shared = [repository, path.dirname(path.dirname(process.execPath))].flatMap((each) => [
      "--share",
      each,
    ]);
    this.#child = spawn(path.join(machines, "cluster"), [...flags(parts), ...shared, this.dir]);
    this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
    this.#child.stdin?.on("error", () => undefined);
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
    });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors += text;
    });
  }

  /** The process that all machines hang on. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error("the cluster was not started");
    return this.#child.pid;
  }

  /** Before a command: runs it on that machine. */
  onMachine(name: string): readonly string[] {
    return [path.join(machines, "inside"), this.dir, name];
  }

  async order(order: Order, name: string): Promise<void> {
    this.#output = "";
    this.#child.stdin?.write(`${order} ${name}\n`);
    await this.#hears("done");
    const undo: Readonly<Record<Order, Order | null>> = {
      off: "on",
      kill: "on",
      freeze: "thaw",
      cut: "join",
      on: null,
      thaw: null,
      join: null,
    };
    const back = undo[order];
    if (back === null) this.#undo.delete(name);
    else this.#undo.set(name, back);
  }

  /** Takes back what a test did to machines. */
  async mend(): Promise<void> {
    for (const [name, order] of this.#undo) await this.order(order, name);
  }

  /** What runs on a machine beside what always does, as this machine numbers it. */
  processes(name: string): readonly { readonly pid: number; readonly command: string }[] {
    const space = readlinkSync(`/proc/${this.#firstProcess(name)}/ns/mnt`);
    const found: { pid: number; command: string }[] = [];
    for (const entry of readdirSync("/proc")) {
      const pid = Number(entry);
      if (!Number.isInteger(pid) || pid <= 1) continue;
      try {
        if (readlinkSync(`/proc/${entry}/ns/mnt`) !== space) continue;
        const command = readFileSync(`/proc/${entry}/cmdline`, "latin1").replaceAll("\0", " ").trim();
        if (command !== "" && !residents.test(command)) found.push({ pid, command });
      } catch {
        // It ended while we looked.
      }
    }
    return found;
  }

  /** What lies in a machine's own /tmp. */
  temporaryFiles(name: string): readonly string[] {
    const tmp = path.join(this.dir, "tmp", name);
    const mounted = new Set([this.dir, repository, process.execPath].map((each) => each.split("/")[2]));
    return readdirSync(tmp).filter((file) => !mounted.has(file));
  }

  removeTemporaryFiles(name: string): void {
    for (const file of this.temporaryFiles(name)) {
      rmSync(path.join(this.dir, "tmp", name, file), { recursive: true });
    }
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    const code = await this.#ended;
    rmSync(this.dir, { recursive: true, force: true });
    if (code !== 0 || this.#errors !== "") throw new Error(`the cluster ended with ${code}: ${this.#errors}`);
  }

  #firstProcess(name: string): number {
    const pid = Number(readFileSync(path.join(this.dir, "run", `${name}.pid`), "utf8"));
    if (!Number.isInteger(pid) || pid <= 1) throw new Error(`${name} has no first process`);
    return pid;
  }

  async #hears(word: "ready" | "done"): Promise<void> {
    let ended = false;
    void this.#ended.then(() => {
      ended = true;
    });
    await until(
      `the cluster says "${word}"`,
      () => ended || this.#output.endsWith(`${word}\n`) || [this.#output, this.#errors],
      60_000,
    );
    if (ended) throw new Error(`the cluster ended: ${this.#errors}`);
  }
}

/** What makes a machine, and the daemon that it is there for. */
const residents =
  /^(sleep infinity|(unshare|\/bin\/bash) .*\/first-process .*|sshd: \/usr\/sbin\/sshd -f .*|slurmd -f .*)$/;
