import type { Account } from "./journal.js";
import type { ChaosList } from "./task-list.js";

/** What `dbutil audit --json` prints, as far as it is looked at. */
export interface Audited {
  readonly exitStatus: number;
  readonly missing: readonly unknown[];
  readonly runAgain: readonly number[];
  readonly damage: readonly unknown[];
  readonly repeated: readonly { readonly id: number; readonly overlapSeconds: number }[];
}

export interface Evidence {
  readonly list: ChaosList;
  /** Lines of the last status file, as columns. */
  readonly rows: readonly (readonly string[])[];
  readonly account: Account;
  readonly audited: Audited;
  /** Tasks whose shell was killed on purpose, at most. */
  readonly killedTasks: number;
}

export interface Verdict {
  /** For people; empty: what is promised was kept. */
  readonly faults: readonly string[];
  readonly attempts: number;
  readonly ranTwice: number;
  /** Named by the audit, also those that may have run more than once and did not. */
  readonly named: number;
  readonly failed: number;
  readonly lateRows: number;
}

/** Whether a run that is over kept what is promised. */
export function judge({ list, rows, account, audited, killedTasks }: Evidence): Verdict {
  const faults = [...account.faults];
  const finals = rows.filter(([flags = ""]) => flags.length === 4 && " S".includes(flags[3] ?? "?"));
  faults.push(...idFaults("task", list.tasks, finals.map(idOf)));
  const barriers = rows.filter(([flags = ""]) => flags.length === 5).map(idOf);
  faults.push(...idFaults("barrier", list.barriers, barriers));

  let failed = 0;
  for (const row of finals) {
    const attempts = account.attempts.get(idOf(row)) ?? [];
    if (row[6] !== "0") failed++;
    else if (!attempts.some(({ ended }) => ended))
      faults.push(`task ${idOf(row)} ended well, says its row, and no attempt at it came to its end`);
    if (row[6] !== "0" && row[6] !== "-9") faults.push(`task ${idOf(row)} ended with ${row[6]}: ${row[13]}`);
  }
  if (failed > killedTasks) faults.push(`${failed} tasks failed, and ${killedTasks} were killed`);

  const named = new Set(audited.repeated.map(({ id }) => id));
  const twice = [...account.attempts].filter(([, attempts]) => attempts.length > 1).map(([id]) => id);
  const unnamed = twice.filter((id) => !named.has(id));
  if (unnamed.length > 0)
    faults.push(`ran more than once, and the audit does not name them: ${some(unnamed)}`);
  for (const { id, overlapSeconds } of audited.repeated)
    if (overlapSeconds > 0)
      faults.push(`task ${id} ran twice at once for ${overlapSeconds} s, says the audit`);
  if (![0, 4].includes(audited.exitStatus)) faults.push(`the audit ends with ${audited.exitStatus}`);
  if (audited.missing.length + audited.runAgain.length > 0) faults.push("tasks are missing, says the audit");
  if (audited.damage.length > 0) faults.push(`the status file is damaged: ${JSON.stringify(audited.damage)}`);

  const attempts = [...account.attempts.values()].reduce((sum, each) => sum + each.length, 0);
  const lateRows = rows.filter(([flags = ""]) => flags.length === 4 && flags.endsWith("Z")).length;
  return { faults, attempts, ranTwice: twice.length, named: named.size, failed, lateRows };
}

function idOf(row: readonly string[]): number {
  return Number(row[1]);
}

function idFaults(what: string, wanted: readonly number[], got: readonly number[]): readonly string[] {
  const counts = new Map<number, number>();
  for (const id of got) counts.set(id, (counts.get(id) ?? 0) + 1);
  const none = wanted.filter((id) => !counts.has(id));
  const many = [...counts].filter(([, count]) => count > 1).map(([id]) => id);
  const known = new Set(wanted);
  const odd = [...counts.keys()].filter((id) => !known.has(id));
  return [
    ...(none.length > 0 ? [`no final row of ${what} ${some(none)}`] : []),
    ...(many.length > 0 ? [`more than one final row of ${what} ${some(many)}`] : []),
    ...(odd.length > 0 ? [`rows of a ${what} that there is not: ${some(odd)}`] : []),
  ];
}

function some(ids: readonly number[]): string {
  return `${ids.slice(0, 20).join(", ")}${ids.length > 20 ? ` and ${ids.length - 20} more` : ""}`;
}
