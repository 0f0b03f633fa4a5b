import { randomInt } from "node:crypto";
import { constants, hostname } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  choosePrefix,
  openList,
  readPerEngine,
  ResumeFiles,
  type ResumeChoice,
  type RunFiles,
  runFiles,
  type RunView,
  type StartingContext,
  startRun,
  verifyResume,
} from "@taskmuster/driver";
import { LocalContext } from "@taskmuster/engine";
import { contextId } from "@taskmuster/kvs/protocol";
import { parseKvsServerOption } from "@taskmuster/kvs/server";
import { parseCommandLine } from "./command-line.js";
import { exitCodeOf } from "./exit-codes.js";
import { Progress } from "./progress.js";
import { resumeCommand } from "./resume-command.js";
import { type Settings, settingsOf } from "./settings.js";
import { SignalHandling } from "./signals.js";
import { type SummaryInput, reasonText, summaryJson, summaryLines } from "./summary.js";
import { ProgressOutput } from "./terminal.js";
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
  const settings = settingsOf(commandLine.taskFile, commandLine.options, process.env, hostname());
  const say = new Speaker(settings);
  const signals = new SignalHandling(
    env.hangupIgnored,
    (message) => say.notice(message),
    (signal) => exit(128 + constants.signals[signal]),
  );
  return new DriverCommand(args, settings, env, say, signals).run();
}

class DriverCommand {
  readonly #args: readonly string[];
  readonly #settings: Settings;
  readonly #env: OwnEnvironment;
  readonly #say: Speaker;
  readonly #signals: SignalHandling;

  constructor(
    args: readonly string[],
    settings: Settings,
    env: OwnEnvironment,
    say: Speaker,
    signals: SignalHandling,
  ) {
    this.#args = args;
    this.#settings = settings;
    this.#env = env;
    this.#say = say;
    this.#signals = signals;
  }

  async run(): Promise<number> {
    const settings = this.#settings;
    const cwd = currentDirectory();
    const kvs =
      settings.kvsServer === null ? null : parseKvsServerOption(settings.kvsServer, this.#env.secrets);
    const nameTasks = settings.taskFile === "-" ? "stdin" : (settings.taskFile.split("/").at(-1) ?? "");
    const prefix = choosePrefix({
      option: settings.prefix,
      nameTasks,
      cwd,
      now: new Date(),
      random: () => randomInt(1000),
    });
    const files = runFiles(prefix);
    const list = await openList(settings.taskFile, { lenient: settings.lenient, spool: files.spool });
    const resume = await this.#resume();
    if (resume !== null && list.reread !== null && !resume.force) await verifyResume(list.reread, resume);
    const { perEngine, first, notices } = await readPerEngine(list.source);
    for (const notice of notices) this.#say.notice(notice);
    if (first.length === 0) {
      this.#say.nothingToRun();
      return 0;
    }
    this.#signals.hold();
    const startedAt = performance.now();
    const run = await startRun(
      {
        files,
        taskFile: settings.taskFile,
        cwd,
        env: process.env,
        source: list.source,
        perEngine,
        first,
        resume,
        logFile: settings.logFile === null ? files.driverLog : resolve(settings.logFile),
        logLevel: settings.logLevel,
        statusHeader: settings.statusHeader,
        failFast: settings.failFast,
        cpusPerTask: settings.cpusPerTask,
        leaseMs: settings.leaseMs,
        graceMs: settings.graceMs,
        maxLosses: settings.maxLosses,
        sync: settings.sync,
        kvs,
        keeperScript: script("keeper.js"),
        onNotice: (message) => this.#say.notice(message),
      },
      () => [this.#localContext(cwd)],
    );
    this.#signals.aim(run.driver);
    this.#say.begin([
      `${list.tasks === null ? "tasks from a stream" : plural(list.tasks, "task")} on ${plural(settings.slots, "slot")}`,
      `status file  ${files.status}`,
    ]);
    const stopShowing = this.#say.follow(list.tasks, () => run.driver.view);
    const view = await run.driver.run();
    stopShowing();
    const wallSeconds = (performance.now() - startedAt) / 1000;
    await run.finish();
    const setAside = run.setAside === null ? null : { from: files.status, to: run.setAside };
    if (setAside !== null) this.#say.notice(`the status file of before is ${setAside.to} now`);
    this.#say.end({
      view: { ...view, slots: settings.slots },
      total: list.tasks,
      wallSeconds,
      statusFile: files.status,
      driverLog: settings.logFile ?? files.driverLog,
      resume: this.#resumeHint(view, files, list.tasks, list.spool?.path ?? null, setAside),
    });
    return exitCodeOf(view, settings);
  }

  async #resume(): Promise<ResumeChoice | null> {
    if (this.#settings.resumeFrom.length === 0) return null;
    const files = await ResumeFiles.open(this.#settings.resumeFrom);
    for (const warning of files.warnings) this.#say.notice(warning);
    return { files, retryFailed: this.#settings.retry, force: this.#settings.forceResume };
  }

  #localContext(cwd: string): StartingContext {
    const settings = this.#settings;
    const engineScript = script("engine.js");
    const context = new LocalContext({ node: process.execPath, engineScript, cwd, env: this.#env.forTasks });
    return {
      id: contextId(settings.label),
      slots: settings.slots,
      taskLimit: settings.taskLimit,
      gone: context.gone,
      terminate: () => context.terminate(),
      kill: () => context.kill(),
      begin: ({ runId, address }) =>
        context.begin({
          runId,
          address,
          context: settings.label,
          cores: settings.cores,
          slots: settings.slots,
          coresPerTask: settings.coresPerTask,
          launcher: settings.launcher,
          logLevel: settings.logLevel,
        }),
    };
  }

  /** Null when nothing is left to do. */
  #resumeHint(
    view: RunView,
    files: RunFiles,
    total: number | null,
    spool: string | null,
    setAside: { readonly from: string; readonly to: string } | null,
  ): string | null {
    if (view.reason === null || view.reason.kind === "finished") return null;
    // Where the list itself is at fault it must be mended first; there may be nothing left of a list whose end is known.
    if (total !== null && view.done + view.skipped >= total) return null;
    return resumeCommand({
      args: this.#args,
      taskFile: this.#settings.taskFile,
      statusFile: files.status,
      spool,
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
  const forTasks = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith("TASKMUSTER_")),
  );
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

/** Says things to people: on standard output, or with --json on standard error, or not at all. */
class Speaker {
  readonly #settings: Settings;
  readonly #output: ProgressOutput;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#output = new ProgressOutput(settings.json ? process.stderr : process.stdout);
  }

  error(message: string): void {
    this.#output.clear();
    process.stderr.write(`${message}\n`);
  }

  /** Something a person should know although the run goes on. */
  notice(message: string): void {
    if (!this.#settings.quiet) this.error(`driver: ${message}`);
  }

  nothingToRun(): void {
    const message = "No tasks to run.";
    this.error(message);
    if (!this.#settings.json) return;
    process.stdout.write(
      `${JSON.stringify({ reason: "finished", message, tasks: 0, done: 0, failed: 0, left: 0 })}\n`,
    );
  }

  begin(lines: readonly string[]): void {
    if (this.#settings.quiet || this.#settings.json) return;
    for (const line of lines) this.#output.print(line);
  }

  /** Shows how it goes until the answered function is called. */
  follow(total: number | null, view: () => RunView): () => void {
    if (this.#settings.quiet || (this.#settings.json && !this.#output.isTerminal)) return () => undefined;
    const progress = new Progress(total, performance.now());
    let plainAt = performance.now();
    const timer = setInterval(() => {
      const now = performance.now();
      const line = progress.line(view(), now, this.#output.isTerminal ? this.#output.columns - 1 : 200);
      if (this.#output.isTerminal) this.#output.show(line);
      else if (now - plainAt >= plainEveryMs) {
        plainAt = now;
        this.#output.print(line);
      }
    }, showEveryMs);
    return () => {
      clearInterval(timer);
      this.#output.clear();
    };
  }

  end(input: SummaryInput): void {
    if (this.#settings.json) process.stdout.write(`${JSON.stringify(summaryJson(input))}\n`);
    else if (!this.#settings.quiet) {
      for (const line of summaryLines(input, this.#output.isTerminal ? this.#output.columns : 120))
        this.#output.print(line);
    }
    const reason = reasonText(input.view.reason);
    // With --quiet or --json the words still have to be said somewhere.
    if (reason !== null && (this.#settings.quiet || this.#settings.json)) {
      this.error(`driver: ${reason}`);
      if (input.resume !== null) this.error(`To go on: ${input.resume}`);
    }
  }
}

const showEveryMs = 200;
const plainEveryMs = 30_000;
