import { expandSlurmHostList } from "./slurm-host-list.js";

/** How to ask, for each node, for all GPUs and the like that the job holds there. */
export interface GresRequests {
  readonly argsOf: ReadonlyMap<string, readonly string[]>;
  /** For people: what the job holds cannot be had. */
  readonly notice: string | null;
}

/**
 * Reads what `scontrol -d show job` prints of a job: `Nodes=node[01-02] CPU_IDs=0-3 Mem=2000 GRES=gpu:a100:2(IDX:0-1)`. What is not
 * understood is not asked for.
 *
 * Measured with Slurm 22.05: unasked, a step gets nothing (job with --exclusive) or is refused (--gpus-per-task). `--gres=gpu:2` is refused on any node
 * when another has fewer; `--gpus=2` is not, unless the job has its GPUs only because it has whole nodes: then nothing helps. A type that the job
 * did not name is refused even where it is the one that was given.
 */
export function gresRequests(shown: string): GresRequests {
  const held = new Map<string, ReadonlyMap<string, number>>();
  for (const match of shown.matchAll(/(?:^|\s)Nodes=(\S+)\s+CPU_IDs=\S*\s+Mem=\S*\s+GRES=(\S*)/g)) {
    const [, nodes = "", gres = ""] = match;
    const expansion = expandSlurmHostList(nodes);
    if (expansion.kind === "bad") return nothing;
    const counts = countsOf(gres);
    for (const host of expansion.hosts) held.set(host, counts);
  }
  const names = new Set([...held.values()].flatMap((counts) => [...counts.keys()]));
  if (names.size === 0) return nothing;
  const even = [...names].filter(
    (name) => new Set([...held.values()].map((counts) => counts.get(name) ?? 0)).size === 1,
  );
  const askedFor = /TresPer[A-Za-z]*=\S*gres/.test(shown);
  const gpus = names.has("gpu") && !even.includes("gpu");
  if (gpus && !askedFor)
    return {
      argsOf: new Map(),
      notice:
        "this job's nodes have different numbers of GPUs, which Slurm gives to no step unless the job asks for GPUs (as with --gpus); none are used",
    };
  const argsOf = new Map<string, readonly string[]>();
  for (const [host, counts] of held) {
    const gres = even.map((name) => `${name}:${counts.get(name) ?? 0}`).join(",");
    const count = counts.get("gpu") ?? 0;
    const args = gres === "" ? [] : [`--gres=${gres}`];
    if (gpus && count > 0) args.push(`--gpus=${count}`);
    if (args.length === 0) args.push("--gres=none");
    argsOf.set(host, args);
  }
  return { argsOf, notice: null };
}

/** `gpu:a100:2(IDX:0-1),nic:1(IDX:0)`: numbers by name, whatever the type. */
function countsOf(gres: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const item of gres.replace(/\([^()]*\)/g, "").split(",")) {
    const parts = item.split(":");
    const name = parts[0] ?? "";
    const count = Number(parts.length > 1 ? parts.at(-1) : 1);
    if (!/^[A-Za-z0-9_-]+$/.test(name) || !Number.isSafeInteger(count) || count < 1) continue;
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return counts;
}

const nothing: GresRequests = { argsOf: new Map(), notice: null };
