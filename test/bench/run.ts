import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { inTurn, isInstalled, median, medianRatio, timed } from "./commands.js";

/*
 * Side by side in one run, medians of several, ratios first. Needs a built tree.
 *
 *   npm run bench [-- --runs 5] [--disbatch DIRECTORY] [--write]     --write puts the results into docs/benchmarks.md
 */
const root = process.cwd();
const args = process.argv.slice(2);
const runs = Number(option("--runs") ?? 5);
const disbatch = option("--disbatch");
const work = mkdtempSync(join(tmpdir(), "taskmuster-bench-"));
const driver = join(root, "bin/driver");
const lines: string[] = [];
const figures: string[] = [];

function option(name: string): string | undefined {
  const at = args.indexOf(name);
  return at === -1 ? undefined : args[at + 1];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
  lines.push(line);
}

function row(goal: string, what: string, ratio: string, detail: string): void {
  figures.push(`| ${what} | **${ratio}** | ${goal} | ${detail} |`);
  process.stdout.write(`${what}: ${ratio} (goal ${goal}); ${detail}\n`);
}

let count = 0;
function fresh(): string {
  const dir = join(work, `run${count++}`);
  mkdirSync(dir);
  return dir;
}

async function ours(slots: number, list: string): Promise<number> {
  const dir = fresh();
  const { seconds } = await timed(
    driver,
    ["-s", `localhost:${slots}`, "--quiet", "-p", join(dir, "x"), list],
    { cwd: dir },
  );
  const rows = readFileSync(join(dir, "x_status.txt"), "latin1").split("\n").length - 1;
  const wanted = readFileSync(list, "latin1").split("\n").length - 1;
  if (rows !== wanted) throw new Error(`${rows} rows for ${wanted} tasks`);
  rmSync(dir, { recursive: true });
  return seconds;
}

async function shellTasks(): Promise<void> {
  const list = join(work, "true2000");
  writeFileSync(list, "true\n".repeat(2000));
  for (const slots of [2, 8]) {
    const peers: Record<string, () => Promise<number>> = {
      ours: () => ours(slots, list),
      xargs: async () =>
        (
          await timed("/bin/sh", ["-c", `xargs -P${slots} -I{} /bin/bash -c '{}' < "$0"`, list], {
            cwd: work,
          })
        ).seconds,
    };
    if (isInstalled("parallel")) {
      peers["GNU parallel"] = async () =>
        (await timed("/bin/sh", ["-c", `parallel -j${slots} < "$0"`, list], { cwd: work })).seconds;
    }
    const results = await inTurn(runs, peers);
    const per = (name: string): number => 2000 / median(results[name] ?? []);
    for (const peer of Object.keys(peers).filter((name) => name !== "ours")) {
      // Throughput over throughput is time over time, the other way round.
      const ratio = medianRatio(results[peer] ?? [], results["ours"] ?? []);
      row(
        peer === "xargs" ? "≥ 0.5" : "",
        `a: 2,000 × \`true\`, fresh bash each, ${slots} slots, throughput over ${peer}`,
        ratio.toFixed(2),
        `${Math.round(per("ours"))}/s against ${Math.round(per(peer))}/s`,
      );
    }
  }
  if (disbatch === undefined) return;
  const short = join(work, "true100");
  writeFileSync(short, "true\n".repeat(100));
  const results = await inTurn(1, {
    ours: () => ours(2, short),
    disBatch: async () => {
      const dir = fresh();
      const { seconds } = await timed(
        "env",
        [`PYTHONPATH=${disbatch}`, "python3", "-m", "disbatch", "-s", "localhost:2", "-p", `${dir}/x`, short],
        { cwd: dir },
      );
      return seconds;
    },
  });
  row(
    "",
    "a: 100 × `true`, 2 slots, wall time of disBatch over ours",
    (median(results.disBatch) / median(results.ours)).toFixed(0),
    `${median(results.disBatch).toFixed(1)} s against ${median(results.ours).toFixed(2)} s`,
  );
}

async function oneTask(): Promise<void> {
  const list = join(work, "true1");
  writeFileSync(list, "true\n");
  const results = await inTurn(2 * runs, {
    ours: () => ours(1, list),
    node: async () => (await timed(process.execPath, ["-e", "0"], { cwd: work })).seconds,
  });
  row(
    "≤ 15",
    "b: a list of one `true`, until the prompt is back, over `node -e 0`",
    medianRatio(results.ours, results.node).toFixed(1),
    `${Math.round(1000 * median(results.ours))} ms against ${Math.round(1000 * median(results.node))} ms`,
  );
}

interface ControlPlane {
  readonly perSecond: number;
  readonly rows: number;
  readonly tasks: number;
  readonly driverPeakKb: number;
  readonly redisPeakKb: number;
}

async function controlPlane(tasks: number): Promise<ControlPlane> {
  const list = join(work, `noop${tasks}`);
  writeFileSync(list, "true\n".repeat(tasks));
  const { stdout } = await timed(
    process.execPath,
    [join(root, "scripts/run-ts.mjs"), join(root, "test/bench/control-plane.ts"), root, list, "2", "40"],
    // The flags that bin/driver gives.
    { cwd: root, env: { ...process.env, NODE_OPTIONS: "--max-semi-space-size=8 --max-old-space-size=512" } },
  );
  const result = JSON.parse(stdout) as ControlPlane;
  if (result.rows !== tasks) throw new Error(`${result.rows} rows for ${tasks} tasks`);
  return result;
}

async function scale(): Promise<void> {
  const small: ControlPlane[] = [];
  const large: ControlPlane[] = [];
  for (let run = 0; run < 3; run++) {
    small.push(await controlPlane(1_000));
    large.push(await controlPlane(200_000));
  }
  const rates = large.map((result) => result.perSecond);
  row(
    "≥ 40,000/s",
    "c: 200,000 tasks that do nothing, 2 engines × 40 slots, status file complete",
    `${Math.round(median(rates)).toLocaleString("en")}/s`,
    rates.map((rate) => Math.round(rate).toLocaleString("en")).join(", "),
  );
  for (const [who, key, goal] of [
    ["driver", "driverPeakKb", "≤ + 60 MB"],
    ["Redis", "redisPeakKb", ""],
  ] as const) {
    const few = median(small.map((result) => result[key])) / 1024;
    const many = median(large.map((result) => result[key])) / 1024;
    row(
      goal,
      `d: peak memory of the ${who}, 200,000 tasks less 1,000`,
      `${many - few >= 0 ? "+" : "−"} ${Math.abs(many - few).toFixed(0)} MB`,
      `${many.toFixed(0)} MB against ${few.toFixed(0)} MB`,
    );
  }
}

/** What the engine opens until it waits for its configuration, and how long it takes until it ends for want of one. */
async function engineStart(): Promise<void> {
  const engine = join(root, "dist/engine.js");
  const results = await inTurn(2 * runs, {
    engine: async () =>
      (await timed("/bin/sh", ["-c", '"$0" "$1" < /dev/null', process.execPath, engine], { cwd: work }))
        .seconds,
    node: async () =>
      (await timed("/bin/sh", ["-c", '"$0" -e 0 < /dev/null', process.execPath], { cwd: work })).seconds,
  });
  row(
    "",
    "e: an engine's start until it would begin, over `node -e 0`",
    medianRatio(results.engine, results.node).toFixed(1),
    `${Math.round(1000 * median(results.engine))} ms against ${Math.round(1000 * median(results.node))} ms`,
  );
  if (!isInstalled("strace")) {
    row("", "e: files that an engine opens at its start", "not measured", "strace is not installed");
    return;
  }
  const opened = (script: string): number =>
    Number(
      execFileSync("/bin/sh", [
        "-c",
        `strace -f -e trace=open,openat -o /dev/stdout ${script} < /dev/null | grep -c ' = [0-9]'`,
      ])
        .toString()
        .trim(),
    );
  const bare = opened(`'${process.execPath}' -e 0`);
  const all = opened(`'${process.execPath}' '${engine}'`);
  row(
    "",
    "e: files that an engine opens at its start, beyond those of `node -e 0`",
    String(all - bare),
    `${all} against ${bare}`,
  );
}

function machine(): string {
  const [cpu] = cpus();
  const redis = execFileSync("/bin/sh", [
    "-c",
    "redis-server --version || valkey-server --version",
  ]).toString();
  return (
    `${cpus().length} × ${cpu?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, ` +
    `Node ${process.version}, ${/v=(\S+)/.exec(redis)?.[1] ?? "?"} of Redis; a shared virtual machine`
  );
}

try {
  say(machine());
  await shellTasks();
  await oneTask();
  await scale();
  await engineStart();
  if (args.includes("--write")) {
    const page = join(root, "docs/benchmarks.md");
    const before = readFileSync(page, "utf8");
    const results = [
      "<!-- results -->",
      "",
      `Run of ${new Date().toISOString().slice(0, 10)} on ${lines[0]}. Medians of ${runs} runs in turn (c, d: of 3).`,
      "",
      "| what | result | goal | figures |",
      "| --- | --- | --- | --- |",
      ...figures,
      "",
      "<!-- end of results -->",
    ].join("\n");
    writeFileSync(
      page,
      before.replace(/<!-- results -->[\s\S]*<!-- end of results -->/, () => results),
    );
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
