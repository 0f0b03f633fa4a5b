import type { Item } from "../../packages/driver/src/core/task-file/index.js";
import { type TaskPolicy, plainPolicy } from "../../packages/driver/src/core/task-policy.js";
import { Random } from "../fuzz/random.js";
import { itemsOf } from "../scenarios/list.js";
import { type Bias, biases, familyOf } from "./faults/families.js";
import { type Fault, type FaultKind, faultKinds } from "./faults/fault.js";
import type { ContextPlan } from "./world/sim-context.js";

/** All that a seed decides beforehand: a list, resources, and when what goes wrong. */
export interface Plan {
  readonly items: readonly Item[];
  /** Tasks and barriers. */
  readonly lines: number;
  readonly tasks: number;
  /** Ids. */
  readonly barriers: readonly number[];
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly maxLosses: number;
  readonly policy: TaskPolicy;
  /** Whose driver dies goes on with `--recover`, and not with `-r` when nobody is left. */
  readonly recovers: boolean;
  /** From one host to another. */
  readonly wireMs: number;
  readonly driverWireMs: number;
  readonly privateStore: boolean;
  /** Waits for contexts (`-S`). */
  readonly serves: boolean;
  /** The driver's own. */
  readonly own: readonly ContextPlan[];
  /** Those that others add, and when. */
  readonly added: readonly { readonly atMs: number; readonly context: ContextPlan }[];
  readonly faults: readonly Fault[];
  /** Nothing goes wrong any more after so long. */
  readonly calmMs: number;
  /** What one slot has to do. */
  readonly workMs: number;
}

export function planOf(seed: number): Plan {
  const random = new Random(`plan ${seed}`);
  const bias = biases[familyOf(seed)];
  const items = itemsOf(listOf(random, bias));
  const barriers = items.flatMap((item) => (item.kind === "barrier" ? [item.id] : []));
  const tasks = items.filter(({ kind }) => kind === "task");
  const leaseMs = random.pick(bias.leasesMs);
  const serves = random.oneIn(2);
  const own = serves && random.oneIn(2) ? [] : [contextOf(random, bias, tasks.length, !serves)];
  const added = Array.from({ length: serves ? 1 + random.int(2) : random.int(2) }, () =>
    contextOf(random, bias, tasks.length, false),
  );
  // What goes wrong does so while there is work.
  const slots = [...own, ...added].flatMap((context) => context.slots).reduce((sum, each) => sum + each, 0);
  const calmMs = 1000 + Math.min(longestMs, Math.ceil((2 * workOf(tasks)) / slots));
  const wireMs = random.pick(bias.wiresMs);
  const retries = random.oneIn(3) ? 1 + random.int(2) : 0;
  return {
    items,
    lines: tasks.length + barriers.length,
    tasks: tasks.length,
    barriers,
    leaseMs,
    graceMs: random.pick(bias.gracesMs),
    maxLosses: random.pick([5, 5, 1]),
    policy: { ...plainPolicy, retries },
    recovers: bias.recovers ?? random.oneIn(2),
    wireMs,
    driverWireMs: bias.driverWiresMs === null ? wireMs : random.pick(bias.driverWiresMs),
    privateStore: random.oneIn(2),
    serves,
    own,
    added: added.map((context) => ({ atMs: 500 + random.int(calmMs / 2), context })),
    faults: faultsOf(random, bias, calmMs, leaseMs),
    calmMs,
    workMs: (1 + retries) * workOf(tasks),
  };
}

function listOf(random: Random, bias: Bias): readonly string[] {
  const lines: string[] = [];
  if (random.oneIn(6)) lines.push("#DISBATCH PERENGINE START work 50 0");
  if (random.oneIn(6)) lines.push("#DISBATCH PERENGINE STOP work 50 0");
  const length = 2 + random.int(random.pick([4, 12, 30]));
  const longest = random.pick(bias.longestMs);
  for (let line = 0; line < length; line++) {
    const work = `work ${1 + random.int(longest)} ${random.oneIn(8) ? 1 : 0}`;
    if (random.oneIn(8)) lines.push("#DISBATCH BARRIER");
    if (random.oneIn(12)) lines.push(`#DISBATCH REPEAT ${1 + random.int(40)} ${work}`);
    else lines.push(work);
  }
  return lines;
}

/** ms, if one slot did it all. */
function workOf(tasks: readonly Item[]): number {
  const ms = tasks.map((item) =>
    item.kind === "task" ? Number(Buffer.from(item.command).toString("latin1").split(" ")[1]) : 0,
  );
  return ms.reduce((sum, each) => sum + each, 0);
}

function contextOf(random: Random, bias: Bias, tasks: number, mayBeLocal: boolean): ContextPlan {
  const kind = random.pick(
    mayBeLocal && bias.engines === 1 ? (["local", "ssh", "slurm"] as const) : (["ssh", "slurm"] as const),
  );
  const nodes = kind === "local" ? 1 : bias.engines + random.int(4 - bias.engines);
  return {
    kind,
    slots: Array.from({ length: nodes }, () => 1 + random.int(3)),
    limit: random.oneIn(5) ? 1 + random.int(tasks) : null,
  };
}

/** A few kinds, and each again and again: all of them at once would only hide what one of them does. */
function faultsOf(random: Random, bias: Bias, calmMs: number, leaseMs: number): readonly Fault[] {
  if (random.oneIn(20)) return [];
  const about = bias.kinds === null ? [] : Array.from({ length: 2 }, () => random.pick(bias.kinds ?? []));
  const others = Array.from({ length: about.length > 0 ? random.int(2) : 1 + random.int(4) }, () =>
    random.pick(faultKinds),
  );
  const kinds = [...about, ...others];
  const often = 1 + random.int(random.pick([3, 8, 20]));
  return kinds.flatMap((kind) =>
    Array.from({ length: isRare(kind) ? 1 + random.int(2) : often }, () => ({
      kind,
      atMs: random.int(calmMs),
      // Around what a lease allows for is where it matters.
      ms: Math.round(leaseMs * bias.spans(random)),
    })),
  );
}

/** What makes a person begin anew. */
function isRare(kind: FaultKind): boolean {
  return kind === "driver dies" || kind === "login node dies";
}

/** Nothing goes wrong after that. */
const longestMs = 40_000;
