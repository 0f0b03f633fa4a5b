import { expect } from "vitest";
import type { Place } from "../e2e/harness.js";

/** One try at a task, as the task itself told it. */
export interface Attempt {
  readonly task: number;
  readonly host: string;
  /** Rank of its engine. */
  readonly engine: number;
  /** Seconds; all machines have one clock. */
  readonly start: number;
  /** Null: it did not come to its end. */
  readonly end: number | null;
}

/**
 * A task file each of whose tasks tells when and where it starts and ends, by lines appended to the file "journal" (a short
 * line is appended whole). What it does between is `command`.
 */
export function journalled(count: number, command: string): string {
  const tell = (word: string): string =>
    `echo ${word} $DISBATCH_TASKID $HOSTNAME $DISBATCH_ENGINE_RANK $BASHPID $EPOCHREALTIME >> journal`;
  return [
    // Asked of the kernel: the variable may come from elsewhere.
    `#DISBATCH PREFIX read -r HOSTNAME < /proc/sys/kernel/hostname; ${tell("start")}; `,
    `#DISBATCH SUFFIX ; ${tell("end")}`,
    ...Array.from({ length: count }, () => command),
    "",
  ].join("\n");
}

/** All attempts, in the order of their starts. */
export function attempts(place: Place): readonly Attempt[] {
  if (!place.files().includes("journal")) return [];
  const found = new Map<string, Attempt>();
  for (const line of place.read("journal").trimEnd().split("\n")) {
    const [word, task, host = "", engine, pid, time] = line.split(" ");
    const key = `${task} ${host} ${engine} ${pid}`;
    const begun = found.get(key);
    if (word === "start") {
      found.set(key, {
        task: Number(task),
        host,
        engine: Number(engine),
        start: Number(time),
        end: null,
      });
    } else if (begun !== undefined) found.set(key, { ...begun, end: Number(time) });
    else throw new Error(`the journal tells of an end without a start: ${line}`);
  }
  return [...found.values()].toSorted((a, b) => a.start - b.start);
}

/** Attempts that have come to their end so far. */
export function ended(place: Place): number {
  return place.files().includes("journal") ? (place.read("journal").match(/^end /gm) ?? []).length : 0;
}

/** The most that ran at once on each host. */
export function widths(place: Place): Readonly<Record<string, number>> {
  const hosts: Record<string, number> = {};
  const all = attempts(place);
  for (const { host, start } of all) {
    const beside = all.filter(
      (other) => other.host === host && other.start <= start && (other.end ?? Infinity) > start,
    );
    hosts[host] = Math.max(hosts[host] ?? 0, beside.length);
  }
  return hosts;
}

/**
 * Proves of a finished run that each of `count` tasks has exactly one final row, of the attempt that came to its end, and that
 * no two attempts of a task ran at the same time: an attempt that did not end before the next one started was dead by
 * then, or it would have told of its end later. Answers all attempts.
 */
export function account(place: Place, count: number, prefix = "run"): readonly Attempt[] {
  const rows = finalRows(place, prefix);
  const ids = rows.map((row) => Number(row[1])).toSorted((a, b) => a - b);
  expect(ids, "one final row for each task").toEqual(Array.from({ length: count }, (_, id) => id));

  const all = attempts(place);
  const byTask = group(all);
  for (const row of rows) {
    const tries = byTask.get(Number(row[1])) ?? [];
    expect(
      tries.filter((attempt) => attempt.end !== null && attempt.host === row[4]),
      `an attempt that ended on ${row[4]}, as the row of task ${row[1]} says; its attempts: ${JSON.stringify(tries)}`,
    ).not.toEqual([]);
    expect(row[6], `return code of task ${row[1]}`).toBe("0");
    for (const [index, next] of tries.slice(1).entries()) {
      const before = tries[index];
      if (before?.end === null || before === undefined) continue;
      expect(
        before.end,
        `task ${row[1]} ran twice at once: ${JSON.stringify([before, next])}`,
      ).toBeLessThanOrEqual(next.start);
    }
  }
  return all;
}

/**
 * Proves that what ran on a host was lost there, and ran again elsewhere (or there, later) only when it was dead: the task
 * (`untilLetGo`) tells all the time that it lives. Answers how many attempts were lost.
 */
export function lostOn(place: Place, host: string): number {
  const all = attempts(place);
  const lost = all.filter((attempt) => attempt.host === host && attempt.end === null);
  for (const { task, engine } of lost) {
    const alive = Number(place.read(`alive.${task}.${engine}`).trimEnd().split("\n").at(-1));
    const next = all.find((attempt) => attempt.task === task && attempt.engine !== engine);
    expect(next?.start, `second try of task ${task}`).toBeGreaterThan(alive);
  }
  return lost.length;
}

/** Not those of barriers, of PERENGINE commands, of skipped tasks and of late reports. */
function finalRows(place: Place, prefix: string): readonly (readonly string[])[] {
  return place.rows(prefix).filter(([flags]) => flags?.length === 4 && flags.endsWith(" "));
}

function group(all: readonly Attempt[]): ReadonlyMap<number, readonly Attempt[]> {
  const tasks = new Map<number, Attempt[]>();
  for (const attempt of all) {
    const tries = tasks.get(attempt.task);
    if (tries === undefined) tasks.set(attempt.task, [attempt]);
    else tries.push(attempt);
  }
  return tasks;
}
