import type { AnnounceRequest, EnrolAnswer, EnrolRequest, ExchangeRequest } from "@taskmuster/kvs";
import type { SavedRuns } from "@taskmuster/kvs/memory";
import { Random } from "../fuzz/random.js";
import { FinalRows } from "../scenarios/invariants.js";
import type { Bug } from "./bugs/bug.js";
import { strike } from "./faults/strike.js";
import { Disk } from "./node/disk.js";
import { virtualise } from "./node/virtual-node.js";
import { planOf } from "./plan.js";
import { Clockwork } from "./time/clockwork.js";
import { rowsIn } from "./truth/rows-in.js";
import { StoreChecks } from "./truth/store-checks.js";
import { Truth, Violation } from "./truth/truth.js";
import { operationText } from "./wire/operation-text.js";
import { type Operation, StoreServer, honestDesk } from "./wire/store-server.js";
import { filesOf } from "./world/driver-desk.js";
import { Operator } from "./world/operator.js";
import { type World, newHost } from "./world/world.js";

export interface SimulationOptions {
  readonly bug?: Bug;
  /** Told of all that happens. */
  readonly onSay?: ((line: string) => void) | undefined;
  readonly onOperation?: (operation: Operation) => void;
  /** The store's server has written down what it holds. */
  readonly onSaved?: (saved: SavedRuns) => void;
  /** The store's server has died; what it holds when it is back. */
  readonly onReplaced?: (from: SavedRuns | null) => void;
}

export interface Simulated {
  readonly seed: number;
  readonly steps: number;
  readonly virtualMs: number;
  readonly drivers: number;
  /** Null: nothing was wrong. */
  readonly failure: string | null;
}

/** Longer than any run takes whose faults have ended, and that does not hang. */
const patienceMs = 300_000;

const mostSteps = 200_000;
const mostDrivers = 50;

/** One run of the whole system, with what this seed lets go wrong. The same seed is the same run, to the step. */
export async function simulate(seed: number, options: SimulationOptions = {}): Promise<Simulated> {
  const plan = planOf(seed);
  const { bug = {} } = options;
  const clockwork = new Clockwork();
  const random = new Random(`world ${seed}`);
  const disk = new Disk(clockwork, random, { liesAboutSync: bug.diskLiesAboutSync === true });
  const truth = new Truth(plan.barriers);
  let drivers = 0;
  const server = new StoreServer(clockwork, random, bug.desk ?? honestDesk, {
    onOperation: (operation) => {
      options.onOperation?.(operation);
      world.say("store", () => operationText(operation));
      const { run, verb, args } = operation;
      if (verb === "acknowledge") checks.onAcknowledge(run, args);
    },
    onDone: ({ run, verb, args, answer, error }) => {
      if (error === null) checks.onDriverVerb(run, verb, args);
      if (verb === "exchange" && error === null) checks.onExchanged(run, (args[0] as ExchangeRequest).engine);
      if (verb === "enrol" && error === null)
        checks.onEnrolled(run, args[0] as EnrolRequest, answer as EnrolAnswer);
      if (verb === "announce" && error === null && (args[0] as AnnounceRequest).last)
        truth.onAnnounced((args[0] as AnnounceRequest).engine);
      if (verb === "publish" && error === null) checks.onPublished(run);
    },
    onSaved: (saved) => options.onSaved?.(saved),
    onReplaced: (from) => {
      truth.onStoreReplaced();
      options.onReplaced?.(from);
    },
  });
  const checks = new StoreChecks(server.memory, truth, (run) => {
    const { status, ledger } = filesOf(world.homes.get(run) ?? "");
    const safe = (path: string): Buffer => disk.file(path)?.safe ?? Buffer.alloc(0);
    return { status: safe(status), ledger: disk.hasFailed ? null : safe(ledger) };
  });
  const { onSay } = options;
  const world: World = {
    clockwork,
    random,
    disk,
    server,
    truth,
    login: newHost({ random }, "login"),
    engines: [],
    bug,
    homes: new Map(),
    runOf: (prefix) => [...world.homes].findLast(([, its]) => its === prefix)?.[0] ?? null,
    wireMs: plan.wireMs,
    privateStore: plan.privateStore,
    say: (who, what) => {
      onSay?.(
        `${String(clockwork.steps).padStart(6)} ${(clockwork.now / 1000).toFixed(3).padStart(9)} ${who.padEnd(9)} ${what()}`,
      );
    },
  };
  const { trustsWall } = bug;
  const restore = virtualise({
    clockwork,
    disk,
    random,
    ...(trustsWall === undefined ? {} : { trustsWall: (process) => process.name.startsWith(trustsWall) }),
  });

  const failure = await watchCrashes(async () => {
    const operator = new Operator(world, plan);
    for (const fault of plan.faults) clockwork.after(fault.atMs, null, () => strike(world, operator, fault));
    await clockwork.run({
      onStep: () => {
        if (truth.violation !== null) throw truth.violation;
        if (clockwork.steps > mostSteps || operator.drivers > mostDrivers)
          throw new Violation("no progress", "too much happens, and the list is not done");
        if (clockwork.now > plan.calmMs + 2 * plan.workMs + patienceMs)
          throw new Violation("no progress", "the run does not end although nothing goes wrong any more");
      },
      isOver: () => operator.isDone,
    });
    drivers = operator.drivers;
    checkFile(disk, operator.driver.status, plan.lines);
  }).finally(restore);
  return { seed, steps: clockwork.steps, virtualMs: clockwork.now, drivers, failure };
}

/** I1, as whoever reads the status file sees it. */
function checkFile(disk: Disk, path: string, lines: number): void {
  const final = new FinalRows();
  const { rows, bad, torn } = rowsIn(disk.file(path)?.bytes() ?? Buffer.alloc(0));
  if (bad !== null) throw new Violation("I1", `not a row: ${bad}`);
  if (torn > 0) throw new Violation("I1", "the status file ends in the middle of a row");
  for (const row of rows) final.onRow(row);
  final.assertComplete(lines);
}

/** Answers why it failed; also when a process would have crashed. */
async function watchCrashes(run: () => Promise<void>): Promise<string | null> {
  let crash: unknown = null;
  const onCrash = (error: unknown): void => {
    crash ??= error;
  };
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onCrash);
  try {
    await run();
  } catch (error) {
    crash ??= error;
  } finally {
    // What was rejected in the last step is told in the next turn.
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", onCrash);
    for (const other of others) process.on("unhandledRejection", other);
  }
  if (crash === null) return null;
  return crash instanceof Violation
    ? crash.message
    : crash instanceof Error
      ? (crash.stack ?? crash.message)
      : JSON.stringify(crash);
}
