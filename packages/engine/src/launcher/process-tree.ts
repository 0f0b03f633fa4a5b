import { execFile } from "node:child_process";
import { closeSync, openSync, readFileSync, readdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** The variable by which a task's processes are found when nothing else tells. */
export const markVariable = "TASKMUSTER_TASK";

export interface LiveProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
}

/** What to look for: processes in these sessions, whatever descends from them, and whoever carries the mark. */
export interface TreeSelector {
  /** Pids of the tasks' shells, each the leader of its session. Sessions found on the way are added. */
  readonly sessions: Set<number>;
  /** Part of the value of `TASKMUSTER_TASK`. */
  readonly mark: string;
}

/** From KILL on, how long to wait for processes that hang in the kernel; they will never run again. */
const giveUpMs = 10_000;
const shortestMark = 16;
const [firstLookMs, longestLookMs] = [1, 100];
/** Before the next look, when nothing could be seen. */
const blindMs = 50;

/** All live processes of the machine; a zombie is dead unless only its first thread has ended. */
export async function liveProcesses(): Promise<LiveProcess[]> {
  for (;;) {
    try {
      const live = process.platform === "linux" ? withSpares(readProc) : await askPs();
      // We ourselves are one: no answer is no sight of an empty machine.
      if (live.length > 0) return live;
    } catch {
      // No descriptor is left; some will be when a task has ended.
    }
    await delay(blindMs);
  }
}

/** Tasks may take every descriptor that we can have, and still we must see whom to kill. */
const spares: number[] = [];

export function keepSpareDescriptors(): void {
  try {
    while (spares.length < 2) spares.push(openSync("/dev/null", "r"));
  } catch {
    // The next time.
  }
}

function withSpares<Answer>(look: () => Answer): Answer {
  const keeps = spares.length > 0;
  for (const fd of spares.splice(0)) closeSync(fd);
  try {
    return look();
  } finally {
    if (keeps) keepSpareDescriptors();
  }
}

function readProc(): LiveProcess[] {
  const found: LiveProcess[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d/.test(name)) continue;
    const stat = readOrNull(`/proc/${name}/stat`)?.toString("latin1");
    if (stat === undefined) continue;
    // The name in parentheses may hold anything, so count from the last one.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "", parent, group, session] = fields;
    if (/[Xx]/.test(state) || (state === "Z" && Number(fields[17]) <= 1)) continue;
    found.push({ pid: Number(name), parent: Number(parent), group: Number(group), session: Number(session) });
  }
  return found;
}

function askPs(): Promise<LiveProcess[]> {
  return new Promise((resolve) => {
    execFile("ps", ["-A", "-o", "pid=,ppid=,pgid=,sess=,stat="], { maxBuffer: 1 << 26 }, (_error, text) => {
      const rows = text.split("\n").map((line) => line.trim().split(/\s+/));
      resolve(
        rows
          .filter((row) => row.length === 5 && !row[4]?.startsWith("Z"))
          // Some systems print an address as the session; then the group has to do.
          .map(([pid, parent, group, session = ""]) => ({
            pid: Number(pid),
            parent: Number(parent),
            group: Number(group),
            session: /^\d+$/.test(session) ? Number(session) : 0,
          })),
      );
    });
  });
}

function readOrNull(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    // It has ended, or it is not ours to look into.
    return null;
  }
}

/** The live processes that `selector` selects. */
export async function findTree(selector: TreeSelector): Promise<LiveProcess[]> {
  const live = await liveProcesses();
  const own = live.find((one) => one.pid === process.pid);
  const children = new Map<number, LiveProcess[]>();
  for (const one of live) {
    const siblings = children.get(one.parent);
    if (siblings === undefined) children.set(one.parent, [one]);
    else siblings.push(one);
  }
  const members = new Map<number, LiveProcess>();
  const isFound = (one: LiveProcess): boolean =>
    one.pid > 1 && one.pid !== process.pid && (inSessions(selector, one) || marked(selector, one));
  const front = withSpares(() => live.filter(isFound));
  for (let one = front.pop(); one !== undefined; one = front.pop()) {
    if (one.pid <= 1 || members.has(one.pid) || one.pid === process.pid) continue;
    members.set(one.pid, one);
    front.push(...(children.get(one.pid) ?? []));
  }
  // What is still in our own session or group has not made its own yet; those are never signalled as a whole.
  const result = [...members.values()].map((one) => ({
    ...one,
    session: one.session === own?.session ? 0 : one.session,
    group: one.group === own?.group ? 0 : one.group,
  }));
  for (const { session, group } of result) {
    if (session > 1) selector.sessions.add(session);
    if (group > 1) selector.sessions.add(group);
  }
  return result;
}

function inSessions({ sessions }: TreeSelector, { pid, group, session }: LiveProcess): boolean {
  return [session, pid, group].some((number) => number > 1 && sessions.has(number));
}

function marked({ mark }: TreeSelector, { pid }: LiveProcess): boolean {
  // A short one would be found in everybody's environment.
  if (process.platform !== "linux" || mark.length < shortestMark) return false;
  return readOrNull(`/proc/${pid}/environ`)?.includes(mark) ?? false;
}

/** Sends to each process group once: that reaches children being forked this instant too. */
export function signalProcesses(members: readonly LiveProcess[], signal: NodeJS.Signals): void {
  const targets = new Set(members.map(({ pid, group }) => (group > 1 ? -group : pid)));
  for (const target of targets) {
    // 0 and -1 are not processes but all of them, and 1 is everybody's parent.
    if (!Number.isInteger(target) || Math.abs(target) <= 1) continue;
    try {
      process.kill(target, signal);
    } catch {
      // It has ended meanwhile, or is another user's: then it counts as one that does not die.
    }
  }
}

/** Kills until none is left. Answers the pids of those that did not die within ten seconds. */
export async function killTree(selector: TreeSelector): Promise<number[]> {
  const until = performance.now() + giveUpMs;
  let emptyLooks = 0;
  for (let pause = firstLookMs; ; pause = Math.min(longestLookMs, pause * 2)) {
    const members = await findTree(selector);
    // Twice, as one look may miss a child that was born while we looked.
    emptyLooks = members.length === 0 ? emptyLooks + 1 : 0;
    if (emptyLooks >= 2) return [];
    if (performance.now() > until) return members.map(({ pid }) => pid);
    signalProcesses(members, "SIGKILL");
    if (members.length > 0) await delay(pause);
  }
}
