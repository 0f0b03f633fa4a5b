import { randomInt } from "node:crypto";
import { constants, hostname } from "node:os";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  choosePrefix,
  earlierRun,
  type ListStore,
  type ReadyList,
  ResumeFiles,
  type ResumeChoice,
  type RunFiles,
  type RunSpec,
  recoverRun,
  runFiles,
  type RunView,
  type StartedRun,
  startRun,
  streamName,
  withEarlierFiles,
} from "@taskmuster/driver";
import type { RunInfo } from "@taskmuster/kvs/protocol";
import { parseKvsServerOption } from "@taskmuster/kvs/server";
import { parseCommandLine } from "./command-line.js";
import { OwnContext, checkReachable } from "./contexts/own-context.js";
import { type ContextPlan, planContext } from "./contexts/plan-context.js";
import { withDefaults } from "./contexts/with-defaults.js";
import { watchProgram } from "./embedding/announce.js";
import { exitCodeOf, exitCodeOfSignal } from "./exit-codes.js";
import { listenFor } from "./listen-for.js";
import { environmentForTasks } from "./own-environment.js";
import { type Recovery, recoveryOf } from "./recovery.js";
import { resumeCommand } from "./resume-command.js";
import { type Settings, settingsOf } from "./settings.js";
import { SignalHandling } from "./signals.js";
import { type PreparedList, prepareList } from "./prepared-list.js";
import { Speaker } from "./speaker.js";
import { type SummaryInput, summaryLines } from "./summary.js";
import { UsageError } from "./usage-error.js";
import { version } from "./version.js";
import { plural } from "./wording.js";

/**
 * Runs the command with `args` and answers its exit status; `exit` ends the process at once, on a signal before there is a run.
 * Throws `TaskmusterError` when the run cannot begin. */
export async function runDriver(args: readonly string[], exit: (code: number) => void): Promise<number> {
  const commandLine = parseCommandLine(args, version());
  if (commandLine.kind === "print") {
    process.stdout.write(commandLine.text);
    return 0;
  }
  const env = ownEnvironment();
  const recovery = recoveryOf(commandLine);
  const settings =
    recovery?.settings ?? settingsOf(commandLine.taskFile, commandLine.options, process.env, hostname());
  const say = new Speaker(settings);
  const signals = new SignalHandling(
    { hangup: env.hangupIgnored, warnings: process.env["SLURM_JOB_ID"] === undefined },
    (message) => say.notice(message),
    (signal) => exit(128 + constants.signals[signal]),
  );
  return new DriverCommand(recovery?.remains.run.args ?? args, settings, env, say, signals, recovery).run();
}

class DriverCommand {
  readonly #args: readonly string[];
  readonly #settings: Settings;
  readonly #env: OwnEnvironment;
  readonly #say: Speaker;
  readonly #signals: SignalHandling;
  readonly #recovery: Recovery | null;

  constructor(
    args: readonly string[],
    settings: Settings,
    env: OwnEnvironment,
    say: Speaker,
    signals: SignalHandling,
    recovery: Recovery | null,
  ) {
    this.#args = args;
    this.#settings = settings;
    this.#env = env;
    this.#say = say;
    this.#signals = signals;
    this.#recovery = recovery;
  }

  async run(): Promise<number> {
    const settings = this.#settings;
    for (const notice of settings.notices) this.#say.notice(notice);
    const cwd = currentDirectory();
    // A program that hands tasks over by way of a server: that is the run's store, too.
    const server = settings.kvsServer ?? (settings.list.kind === "server" ? settings.list.address : null);
    const kvs =
      this.#recovery?.server ??
      (server === null ? null : parseKvsServerOption(server, this.#env.secrets, settings.kvsCa));
    const plan = this.#planContext();
    const { list: choice } = settings;
    const taskFile = choice.kind === "file" ? choice.path : null;
    const recovery = this.#recovery;
    const files =
      recovery?.remains.files ??
      runFiles(
        choosePrefix({
          option: settings.prefix,
          nameTasks: taskFile === null ? streamName : taskFile === "-" ? "stdin" : basename(taskFile),
          cwd,
          now: new Date(),
          random: () => randomInt(1000),
        }),
      );
    const left = recovery === null && settings.resumeFrom.length === 0 ? earlierRun(taskFile, cwd) : null;
    if (left !== null) this.#say.notice(left);
    const resume = await this.#resume();
    const list = await prepareList({
      settings,
      cwd,
      env: this.#env.forTasks,
      spool: files.spool,
      jobId: files.jobId,
      resume,
      kept: recovery?.kept ?? null,
      onOutput: (text) => this.#say.pass(text),
      onNotice: (message) => this.#say.notice(message),
    });
    if (list.isEmpty) {
      this.#say.nothingToRun();
      return 0;
    }
    recovery?.check(list.facts);
    const startedAt = performance.now();
    const run = await this.#start(list, (openList) => {
      const spec: RunSpec = {
        files,
        args: this.#args,
        taskFile: taskFile === "-" ? null : taskFile,
        cwd,
        env: process.env,
        openList,
        resume,
        logFile: settings.logFile === null ? files.driverLog : resolve(settings.logFile),
        logLevel: settings.logLevel,
        statusHeader: settings.statusHeader,
        failFast: settings.failFast,
        cpusPerTask: this.#told.context.cpusPerTask ?? 1,
        defaults: this.#defaults,
        startMustSucceed: settings.startMustSucceed,
        serves: settings.serves,
        programs: {
          node: process.execPath,
          context: script("context.js"),
          dbutil: script("dbutil.js"),
        },
        leaseMs: settings.leaseMs,
        graceMs: settings.graceMs,
        maxLosses: settings.maxLosses,
        policy: settings.policy,
        drainsFailing: settings.drainsFailing,
        sync: settings.sync,
        kvs,
        listen: listenFor(settings, plan),
        keeperScript: script("keeper.js"),
        onNotice: (message) => this.#say.notice(message),
        onError: (message) => this.#say.error(`driver: ${message}`),
      };
      const start = (chosen: ContextPlan | null) =>
        chosen === null ? [] : [this.#startContext(chosen, cwd)];
      return recovery === null
        ? startRun(spec, () => start(plan))
        : recoverRun(
            {
              ...spec,
              assumeDead: recovery.assumeDead,
              checkAddress: (address) => (plan === null ? undefined : checkReachable(plan, address)),
            },
            (engines) => start(recovery.besides(plan, engines)),
          );
    });
    if (typeof run === "number") return run;
    this.#signals.aim(run.driver);
    this.#say.begin(this.#firstLines(list.tasks, plan, files));
    const stopShowing = this.#say.follow(list.tasks, () => run.driver.view);
    const view = await run.driver.run();
    stopShowing();
    const recovered = this.#recovery?.remains.run;
    const ms =
      recovered === undefined ? performance.now() - startedAt : Date.now() - Date.parse(recovered.at);
    const wallSeconds = Math.max(0, ms / 1000);
    // What is left to do for a list that came from a program may take as long as that program likes.
    const hurry = (): void => list.hurry();
    this.#signals.aim({ drain: hurry, stop: hurry, kill: hurry });
    await run.finish();
    const setAside = run.setAside === null ? null : { from: files.status, to: run.setAside };
    if (setAside !== null) this.#say.notice(`the status file of before is ${setAside.to} now`);
    const input: SummaryInput = {
      view,
      total: list.tasks,
      wallSeconds,
      statusFile: files.status,
      driverLog: settings.logFile ?? files.driverLog,
      resume: this.#resumeHint(view, files, list.tasks, list.spool, setAside),
    };
    await list.mailEnd(summaryLines(input, mailColumns));
    this.#say.end(input);
    return exitCodeOf(view, settings);
  }

  /** Starts the run; or answers the exit status, when it was given up while it waited for the first task of a program. */
  async #start(
    list: PreparedList,
    startWith: (openList: (store: ListStore) => Promise<ReadyList>) => Promise<StartedRun>,
  ): Promise<StartedRun | number> {
    if (this.#settings.embedded) watchProgram(process.stdin, () => process.emit("SIGTERM", "SIGTERM"));
    if (this.#settings.list.kind === "file") {
      this.#signals.hold();
      return startWith((store) => list.open(store));
    }
    let givenUp: string | null = null;
    const giveUp = (signal: string): void => {
      givenUp = signal;
      list.hurry();
    };
    this.#signals.aim({ drain: giveUp, stop: giveUp, kill: () => list.hurry() });
    try {
      return await startWith(async (store) => {
        this.#say.begin(["waiting for the first task"]);
        const ready = await list.open(store);
        this.#signals.hold();
        return ready;
      });
    } catch (error) {
      if (givenUp === null) throw error;
      this.#say.error(`driver: ${error instanceof Error ? error.message : String(error)}`);
      return exitCodeOfSignal(givenUp);
    }
  }

  get #defaults(): RunInfo["defaults"] {
    const { cpusPerTask, tasksPerNode, envResources, idleTimeoutMs } = this.#told.context;
    const { launcher, logLevel } = this.#told;
    return { cpusPerTask, tasksPerNode, envResources: [...envResources], idleTimeoutMs, launcher, logLevel };
  }

  /** As the run began: what engines are told who join it. */
  get #told(): Settings {
    return this.#recovery?.before ?? this.#settings;
  }

  /** Null: others will add contexts. */
  #planContext(): ContextPlan | null {
    const { context } = this.#settings;
    if (context.where.kind === "none") return null;
    const plan = planContext(context, withDefaults(context, this.#defaults), process.env, hostname());
    for (const notice of plan.notices) this.#say.notice(notice);
    return plan;
  }

  #startContext(plan: ContextPlan, cwd: string): OwnContext {
    const { context, leaseMs } = this.#settings;
    return new OwnContext({
      plan,
      retire: context.retire,
      defaults: withDefaults(context, this.#defaults),
      taskLimit: context.taskLimit,
      leaseMs,
      cwd,
      env: this.#env.forTasks,
      onNotice: (message) => this.#say.notice(message),
    });
  }

  #firstLines(total: number | null, plan: ContextPlan | null, files: RunFiles): readonly string[] {
    const tasks = total === null ? "tasks from a stream" : plural(total, "task");
    const status = `status file  ${files.status}`;
    if (plan === null) {
      return [tasks, status, "Run this script to add compute contexts:", `   ${files.dbUtil}`];
    }
    const slots = plural(
      plan.plans.reduce((sum, node) => sum + node.slots, 0),
      "slot",
    );
    const nodes = plan.plans.length === 1 ? "" : ` of ${plural(plan.plans.length, "host")}`;
    return [`${tasks} on ${slots}${nodes}`, status];
  }

  async #resume(): Promise<ResumeChoice | null> {
    if (this.#settings.resumeFrom.length === 0) return null;
    const { resumeFrom } = this.#settings;
    const { paths, notices } = withEarlierFiles(this.#recovery?.whereNow(resumeFrom) ?? resumeFrom);
    const files = await ResumeFiles.open(paths);
    for (const notice of [...notices, ...files.warnings]) this.#say.notice(notice);
    return { files, retryFailed: this.#settings.retry, force: this.#settings.forceResume };
  }

  /** Null when nothing is left to do. */
  #resumeHint(
    view: RunView,
    files: RunFiles,
    total: number | null,
    spool: string | null,
    setAside: { readonly from: string; readonly to: string } | null,
  ): string | null {
    if (view.reason === null || view.reason.kind === "finished" || view.reason.kind === "fenced") return null;
    // Where the list itself is at fault it must be mended first; there may be nothing left of a list whose end is known.
    if (total !== null && view.done - view.unrecorded + view.skipped >= total) return null;
    const { list } = this.#settings;
    return resumeCommand({
      args: this.#args,
      taskFile: this.#recovery === null ? (list.kind === "file" ? list.path : null) : this.#recovery.taskFile,
      statusFile: files.status,
      spool: this.#recovery?.spool ?? spool,
      setAside,
    });
  }
}

interface OwnEnvironment {
  readonly hangupIgnored: boolean;
  /** What `--kvsserver` may take a password from. */
  readonly secrets: NodeJS.ProcessEnv;
  /** What tasks inherit: everything but what is between our own processes. */
  readonly forTasks: NodeJS.ProcessEnv;
}

function ownEnvironment(): OwnEnvironment {
  const forTasks = environmentForTasks();
  return { hangupIgnored: process.env["TASKMUSTER_SIGHUP"] === "ignored", secrets: process.env, forTasks };
}

/** Throws `UsageError` when it was removed. */
function currentDirectory(): string {
  try {
    return process.cwd();
  } catch {
    throw new UsageError(
      "the directory that this was started in does not exist any more; cd to one that does",
    );
  }
}

/** Beside us in the directory of bundles. */
function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

const mailColumns = 100;
