import { type Bench, type Measured } from "../bench.js";
import { median } from "../figures/spread.js";
import type { Table } from "../figures/result.js";
import { runControlPlane } from "../peers/control-plane.js";
import { runOurs } from "../peers/ours.js";
import { runXargs } from "../peers/shells.js";
import { ProcessWatch, type Role } from "../processes/watch.js";

/** Seconds of CPU time by part, in order; `total` is cores × wall time. */
interface Profile {
  readonly parts: ReadonlyMap<string, number>;
  readonly total: number;
}

const everythingElse = "everything else on the machine";
const idle = "idle";
const [tasksThemselves, xargs] = ["tasks", "xargs"];
const ours = ["driver", "engine", "launcher", "spawner", "Redis", "keeper"] as const;
/** What is nobody's at the end. */
const inOrder: readonly string[] = [...ours, xargs, tasksThemselves, everythingElse, idle];

/** Where a task's time goes. */
export async function measure(bench: Bench): Promise<Measured> {
  const tables: Table[] = [];
  const tasks = bench.size(5_000, 200);
  const list = bench.list("true", tasks);
  for (const slots of [2, 8]) {
    const [own, peers]: [Profile[], Profile[]] = [[], []];
    for (let round = 0; round < bench.runs; round++) {
      own.push(await profiled(tasksOfOurs, async (watch) => runOurs(bench, { list, tasks, slots, watch })));
      peers.push(await profiled(tasksOfXargs, async (watch) => runXargs(bench, { list, slots, watch })));
    }
    const title = `${tasks.toLocaleString("en")} × \`true\`, ${slots} slots: CPU time per task`;
    tables.push(table(title, tasks, { Taskmuster: own, "`xargs -P`": peers }));
  }
  for (const shape of [
    { engines: 2, slots: 40 },
    { engines: 16, slots: 128 },
  ]) {
    const many = bench.tasks;
    const noops = bench.list("true", many);
    const profiles: Profile[] = [];
    for (let round = 0; round < Math.min(3, bench.runs); round++)
      profiles.push(
        await profiled(nothingRuns, async (watch) =>
          runControlPlane(bench, { list: noops, tasks: many, shape, watch }),
        ),
      );
    const title = `${many.toLocaleString("en")} tasks that do nothing, ${shape.engines} engines × ${shape.slots} slots: CPU time per task`;
    tables.push(table(title, many, { Taskmuster: profiles }));
  }
  return { tables };
}

type Parts = (watch: ProcessWatch) => readonly (readonly [string, number])[];

const tasksOfOurs: Parts = (watch) => [
  ...ownOf(watch, ours),
  [tasksThemselves, watch.usage("launcher", "spawner").reaped],
];

const tasksOfXargs: Parts = (watch) => [
  [xargs, watch.usage("peer").own],
  [tasksThemselves, watch.usage("peer").reaped],
];

const nothingRuns: Parts = (watch) => ownOf(watch, ["driver", "engine", "Redis"]);

function ownOf(watch: ProcessWatch, roles: readonly Role[]): (readonly [string, number])[] {
  return roles
    .map((role): readonly [string, number] => [role, watch.usage(role).own])
    .filter(([, own]) => own > 0);
}

async function profiled(partsOf: Parts, job: (watch: ProcessWatch) => Promise<unknown>): Promise<Profile> {
  const watch = new ProcessWatch();
  let machine = null;
  try {
    await job(watch);
  } finally {
    machine = watch.stop();
  }
  const parts = new Map(partsOf(watch));
  const known = [...parts.values()].reduce((sum, seconds) => sum + seconds, 0);
  parts.set(everythingElse, Math.max(0, machine.busy - known));
  parts.set(idle, machine.idle);
  return { parts, total: machine.busy + machine.idle };
}

function table(title: string, tasks: number, who: Readonly<Record<string, readonly Profile[]>>): Table {
  const names = Object.keys(who);
  const parts = new Set(
    Object.values(who).flatMap((profiles) => profiles.flatMap(({ parts: each }) => [...each.keys()])),
  );
  const ordered = inOrder.filter((part) => parts.has(part));
  const cell = (profiles: readonly Profile[], part: string): readonly string[] => {
    if (!profiles.some((each) => each.parts.has(part))) return ["", ""];
    const micros = median(profiles.map((each) => ((each.parts.get(part) ?? 0) / tasks) * 1e6));
    const share = median(profiles.map((each) => (each.parts.get(part) ?? 0) / each.total));
    return [
      `${micros < 10 ? micros.toFixed(1) : Math.round(micros).toLocaleString("en")} µs`,
      `${Math.round(100 * share)} %`,
    ];
  };
  return {
    title,
    columns: ["part", ...names.flatMap((name) => [name, "of cores × wall"])],
    rows: ordered.map((part) => [part, ...names.flatMap((name) => cell(who[name] ?? [], part))]),
  };
}
