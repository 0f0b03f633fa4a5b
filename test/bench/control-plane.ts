import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openList, readPerEngine, runFiles, type StartingContext, startRun } from "@taskmuster/driver";
import { LocalMethod } from "@taskmuster/engine";
import { engineId, protocolVersion } from "@taskmuster/kvs/protocol";

/*
 * A driver with engines whose executor does nothing, so that what is measured is everything but the tasks: reading the list,
 * publishing, claiming, reporting, rows on disk, acknowledging. A process of its own, so that its memory is the driver's.
 *
 *   node control-plane.js ROOT TASKFILE ENGINES SLOTS   prints one JSON value
 */
const [root = "", taskFile = "", engines = "2", slots = "40"] = process.argv.slice(2);

const dir = mkdtempSync(join(tmpdir(), "taskmuster-bench-"));
const list = await openList(taskFile, { lenient: false, spool: join(dir, "spool") });
const { perEngine, first } = await readPerEngine(list.source);
const files = runFiles(join(dir, "bench"));
let readyMs = 0;
const startedAt = performance.now();

function context(index: number): StartingContext {
  const engine = new LocalMethod({
    node: process.execPath,
    engineScript: join(root, "dist/engine.js"),
    cwd: dir,
    env: process.env,
  }).launch({ host: "bench", cores: Number(slots), slots: Number(slots), coresPerTask: 1 });
  const label = `BENCH${index}`;
  return {
    label,
    exactLabel: true,
    slots: Number(slots),
    taskLimit: null,
    startMs: 60_000,
    info: {
      version: protocolVersion,
      kind: "local",
      host: "bench",
      pid: process.pid,
      startedAt: Date.now(),
      limit: null,
      nodes: [],
      ended: "",
    },
    gone: engine.gone,
    engines: [],
    onEngineGone: () => undefined,
    onNews: () => undefined,
    drop: () => undefined,
    terminate: () => engine.terminate(),
    kill: () => engine.kill(),
    begin: ({ runId, address }) =>
      engine.begin({
        runId,
        address,
        engine: engineId(`bench0000${index}`),
        context: label,
        cores: Number(slots),
        slots: Number(slots),
        coresPerTask: 1,
        launcher: "noop",
        logLevel: "info",
        allocation: false,
        envResources: [],
        idleTimeoutMs: null,
      }),
  };
}

const run = await startRun(
  {
    files,
    taskFile,
    cwd: dir,
    env: process.env,
    openList: () =>
      Promise.resolve({
        source: list.source,
        perEngine,
        first,
        total: list.tasks,
        sinks: [],
        end: () => Promise.resolve(),
      }),
    resume: null,
    logFile: files.driverLog,
    logLevel: "info",
    statusHeader: false,
    failFast: false,
    cpusPerTask: 1,
    defaults: {
      cpusPerTask: null,
      tasksPerNode: null,
      envResources: [],
      idleTimeoutMs: null,
      launcher: "noop",
      logLevel: "info",
    },
    startMustSucceed: false,
    serves: false,
    programs: { node: process.execPath, context: "", dbutil: "" },
    listen: null,
    leaseMs: 300_000,
    graceMs: 3_000,
    maxLosses: 5,
    sync: true,
    kvs: null,
    keeperScript: join(root, "dist/keeper.js"),
    onNotice: (message) => process.stderr.write(`${message}\n`),
  },
  () => Array.from({ length: Number(engines) }, (_, index) => context(index)),
);
const beganAt = performance.now();
const watch = setInterval(() => {
  if (run.driver.view.done > 0 && readyMs === 0) readyMs = performance.now() - startedAt;
}, 1);
const view = await run.driver.run();
clearInterval(watch);
const seconds = (performance.now() - beganAt) / 1000;
// Before we read the file ourselves.
const driverPeakKb = process.resourceUsage().maxRSS;
const rows = readFileSync(files.status, "latin1").split("\n").length - 1;
const redisKb = peakKb(serverPid());
await run.finish();
rmSync(dir, { recursive: true });
process.stdout.write(
  JSON.stringify({
    tasks: view.done,
    rows,
    seconds,
    perSecond: view.done / seconds,
    firstTaskMs: readyMs,
    driverPeakKb,
    redisPeakKb: redisKb,
    cpuSeconds: process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6,
  }),
);

/** The private server is a child of ours. */
function serverPid(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, "utf8")
    .trim()
    .split(" ");
  const pid = children.find((child) =>
    /redis-server|valkey-server/.test(readFileSync(`/proc/${child}/comm`, "utf8")),
  );
  return Number(pid);
}

function peakKb(pid: number): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}
