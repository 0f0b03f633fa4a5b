import { type Bench, type Measured, inTurn } from "../bench.js";
import { atMost, better, notMeasured, timeOver } from "../figures/compare.js";
import type { Figure } from "../figures/result.js";
import { runOurs } from "../peers/ours.js";
import { run } from "../processes/run.js";

/** All that has to come and go for a single task. */
export async function measure(bench: Bench): Promise<Measured> {
  const list = bench.list("true", 1);
  const { hq } = bench.options;
  const rounds = 2 * bench.runs;
  const seconds = await inTurn(
    rounds,
    {
      ours: async () => (await runOurs(bench, { list, tasks: 1, slots: 1 })).seconds,
      node: async () => (await run([process.execPath, "-e", "0"], { cwd: bench.fresh() })).seconds,
      hq: hq === null ? null : () => coldHyperQueue(bench, hq),
    },
    "warm",
  );
  const what = "a list of one `true`, until the prompt is back";
  const over = `${what}: time over \`node -e 0\``;
  const overHq = `${what}: HyperQueue's time over ours`;
  const figures: Figure[] = [timeOver(over, seconds.ours, seconds.node, atMost(6))];
  if (hq === null) figures.push(notMeasured(overHq, "no HyperQueue was named (`--hq`)"));
  else {
    const { value, ours, peer } = timeOver(overHq, seconds.hq, seconds.ours, better);
    figures.push({ what: overHq, value, unit: "", goal: better, ours: peer, peer: ours, note: "" });
  }
  return { figures, rounds };
}

/** Server and worker come up, the task is submitted and waited for, the server is stopped. Answers seconds. */
async function coldHyperQueue(bench: Bench, hq: string): Promise<number> {
  const cwd = bench.fresh();
  const off = "--disable-client-authentication-and-encryption --disable-worker-authentication-and-encryption";
  const script = `
    exec 2>/dev/null
    hq() { "$0" --server-dir "$PWD" "$@"; }
    hq server start --host localhost ${off} >/dev/null &
    until [ -e hq-current/access.json ]; do sleep 0.002; done
    hq worker start --cpus 1 --detect-resources none --overview-interval 0s >/dev/null &
    hq submit --wait --stdout none --stderr none -- /bin/bash -c true >/dev/null
    status=$?
    hq server stop
    wait
    exit $status`;
  return (await run(["/bin/bash", "-c", script, hq], { cwd })).seconds;
}
