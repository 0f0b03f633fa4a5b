import { readFileSync, readdirSync, readlinkSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** A process of ours on this host, as far as it can be looked into. */
export interface HostProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its arguments, with blanks between. */
  readonly command: string;
  readonly environment: readonly string[];
  /** Its working directory. */
  readonly cwd: string;
  /** Paths of the files that it has open. */
  readonly open: () => readonly string[];
}

/** Null: this system does not tell. */
export function hostProcesses(): readonly HostProcess[] | null {
  let names: readonly string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return null;
  }
  const found = names.filter((name) => /^\d+$/.test(name)).flatMap((name) => processOf(Number(name)));
  return found.length === 0 ? null : found;
}

function processOf(pid: number): readonly HostProcess[] {
  const stat = readOr(`/proc/${pid}/stat`);
  const [state = "X", parent = "0"] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (/[XZ]/i.test(state)) return [];
  return [
    {
      pid,
      parent: Number(parent),
      command: readOr(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim(),
      environment: readOr(`/proc/${pid}/environ`).split("\0"),
      cwd: linkOr(`/proc/${pid}/cwd`),
      open: () => openFiles(pid),
    },
  ];
}

function linkOr(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function openFiles(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const engineCommand = /\/engine\.js$/;
const guardianCommand = /^taskmuster-launcher|^perl -e sub r\{my| taskmuster-guardian /;

/** By what a run's processes are known. */
export interface RunMarks {
  /** Absolute. */
  readonly prefix: string;
  /** Where its tasks run, and so its engines and their guardians. */
  readonly cwd: string;
}

/**
 * Processes of a run that may still run tasks of it: its engines; guardians whose engine is dead, as they are about to kill its
 * tasks; and tasks. `rank`: of one engine, which is known to be dead.
 */
export function atWork(
  processes: readonly HostProcess[],
  run: RunMarks,
  rank: number | null = null,
): readonly HostProcess[] {
  const engines = processes.filter(({ command }) => engineCommand.test(command));
  const enginePids = new Set(engines.map(({ pid }) => pid));
  // Contexts and watchers that `dbUtil.sh` has started know the run, too, but not an engine.
  const ofRank = (word: string): boolean =>
    rank === null ? word.startsWith("DISBATCH_ENGINE_RANK=") : word === `DISBATCH_ENGINE_RANK=${rank}`;
  return processes.filter((each) => {
    if (enginePids.has(each.pid)) return rank === null && isEngineOf(each, run);
    if (guardianCommand.test(each.command)) {
      const isOrphan = !enginePids.has(each.parent) && !isGuardian(processes, each.parent);
      // One kind of them is where its engine was, the other has that for its last argument.
      return isOrphan && (each.cwd === run.cwd || each.command.endsWith(` ${run.cwd}`));
    }
    return each.environment.some(ofRank) && each.environment.some((word) => isMarkOf(word, run));
  });
}

/** Without a process and its descendants. */
export function notOf(pid: number, processes: readonly HostProcess[]): readonly HostProcess[] {
  const parents = new Map(processes.map((each) => [each.pid, each.parent]));
  return processes.filter((each) => {
    for (let at: number | undefined = each.pid; at !== undefined && at > 1; at = parents.get(at)) {
      if (at === pid) return false;
    }
    return true;
  });
}

/** A way to the same files may lead over a symbolic link, now or then; the system tells where it leads. */
function whereItLeads(prefix: string): string {
  try {
    return join(realpathSync(dirname(prefix)), basename(prefix));
  } catch {
    return prefix;
  }
}

const markVariable = "TASKMUSTER_RUN=";

function isMarkOf(word: string, { prefix }: RunMarks): boolean {
  if (!word.startsWith(markVariable)) return false;
  const other = word.slice(markVariable.length);
  return other === prefix || whereItLeads(other) === whereItLeads(prefix);
}

/** By its log; one that could not write it, by where it is. Before it has joined it is nobody's. */
function isEngineOf(engine: HostProcess, { prefix, cwd }: RunMarks): boolean {
  const logs = engine.open().filter((path) => /_engine_\d+\.log$/.test(path));
  const ours = `${whereItLeads(prefix)}_`;
  return logs.length === 0 ? engine.cwd === cwd : logs.some((path) => path.startsWith(ours));
}

/** The spawner is a child of its guardian, and dies with it. */
function isGuardian(processes: readonly HostProcess[], pid: number): boolean {
  return processes.some((each) => each.pid === pid && guardianCommand.test(each.command));
}
