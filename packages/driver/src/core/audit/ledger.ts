import type { FailedAttempt, LedgerDriver, LedgerTask, ListFacts, RunFacts } from "../ledger-entry.js";

/** What the ledger says of one run, from its start to the next one's with the same prefix. */
export interface LedgerSection {
  /** Null: the entries come before any start. */
  readonly run: LedgerRun | null;
  /** Drivers that had this run, one after the other. */
  readonly epochs: number;
  /** Those of them of which it says more, oldest first. */
  readonly drivers: readonly LedgerDriver[];
  /** The store of the last driver was ended when nothing of the run worked any more anywhere. */
  readonly storeEnded: boolean;
  /** A store was lost, and it was not waited to the end that nothing of before can run. */
  readonly isUnsettled: boolean;
  /** Attempts that did not end by themselves, as far as the driver wrote them down. */
  readonly losses: readonly Loss[];
  /** Attempts, `<id>:<attempt>`, that were given up and came back before anybody had the next. */
  readonly returned: ReadonlySet<string>;
  /** By task id: attempts that failed and were not the last, in their order. */
  readonly retried: ReadonlyMap<number, readonly RetriedAttempt[]>;
  /** So many tasks at most were handed out and had not ended, at any time; null: it does not say. */
  readonly window: number | null;
  readonly end: LedgerEnd | null;
}

export interface LedgerRun extends RunFacts {
  readonly version: number;
  /** The command line, as typed; null: it does not say. */
  readonly args: readonly string[] | null;
  /** Null: it does not say. */
  readonly list: ListFacts | null;
}

export interface Loss {
  /**
   * With its engine; with its launcher; or stopped by us or a scheduler, and handed back. `unrecorded`: it ended, and its row could not be
   * written. `store`: its store was lost, which held who had it.
   */
  readonly kind: "engine" | "launcher" | "stopped" | "unrecorded" | "store";
  readonly at: string;
  readonly rank: number | null;
  readonly host: string | null;
  readonly why: string;
  readonly tasks: readonly LedgerTask[];
}

export type RetriedAttempt = Omit<FailedAttempt, "id">;

export interface LedgerEnd {
  readonly at: string;
  readonly reason: string;
  /** Tasks that got a final row. */
  readonly done: number | null;
  /** Tasks and barriers that were read from the list; null: it does not say. */
  readonly ids: number | null;
  /** The list was read to its end; null: it does not say. */
  readonly listRead: boolean | null;
  /** Length of the status file. */
  readonly bytes: number | null;
}

/** Ledgers from this version on name every attempt that did not end by itself. */
export const completeVersion = 2;

export interface Ledger {
  readonly sections: readonly LedgerSection[];
  /** Numbers of lines that are no entries; not the last, if it has no end: that is being written, or its driver died. */
  readonly badLines: readonly number[];
}

/** Reads a ledger, also of drivers that write less or more than this one does. */
export function parseLedger(text: string): Ledger {
  const sections: Section[] = [];
  const badLines: number[] = [];
  const lines = text.split("\n");
  lines.pop();
  for (const [index, line] of lines.entries()) {
    const entry = entryOf(line);
    if (entry === null || entry.isRest) badLines.push(index + 1);
    if (entry === null) continue;
    if (entry.fields["kind"] === "run") sections.push({ ...emptySection(), run: runOf(entry.fields) });
    else {
      if (sections.length === 0) sections.push(emptySection());
      const section = sections.at(-1);
      if (section !== undefined) addEntry(section, entry.fields);
    }
  }
  return { sections, badLines };
}

type Fields = Readonly<Record<string, unknown>>;

interface Section {
  run: LedgerRun | null;
  epochs: number;
  readonly drivers: LedgerDriver[];
  storeEnded: boolean;
  isUnsettled: boolean;
  readonly losses: Loss[];
  readonly returned: Set<string>;
  readonly retried: Map<number, readonly RetriedAttempt[]>;
  window: number | null;
  end: LedgerEnd | null;
}

function emptySection(): Section {
  return {
    run: null,
    epochs: 0,
    drivers: [],
    storeEnded: false,
    isUnsettled: false,
    losses: [],
    returned: new Set(),
    retried: new Map(),
    window: null,
    end: null,
  };
}

/** `isRest`: an entry that was appended to half a one, whose driver was killed. */
function entryOf(line: string): { readonly fields: Fields; readonly isRest: boolean } | null {
  const whole = jsonRecord(line);
  if (whole !== null) return { fields: whole, isRest: false };
  const restAt = line.lastIndexOf('{"kind":"');
  const rest = restAt > 0 ? jsonRecord(line.slice(restAt)) : null;
  return rest === null ? null : { fields: rest, isRest: true };
}

function addEntry(section: Section, fields: Fields): void {
  // What this version writes stands in `core/ledger-entry`.
  switch (fields["kind"]) {
    case "epoch":
      section.epochs++;
      section.drivers.push(...driversOf(fields));
      section.storeEnded = false;
      return;
    case "storeEnded":
      section.storeEnded = true;
      return;
    case "settled":
      section.isUnsettled = false;
      return;
    case "lostStore":
      section.isUnsettled = true;
      section.losses.push({
        ...lossOf("store", fields),
        tasks: [...tasksOf(fields["tasks"]), ...firstTries(fields["ids"])],
      });
      return;
    case "lostEngine":
      section.losses.push(lossOf("engine", fields));
      return;
    case "stoppedTasks":
      section.losses.push(lossOf(fields["lost"] === true ? "launcher" : "stopped", fields));
      return;
    case "unrecorded":
      section.losses.push({ ...lossOf("unrecorded", fields), tasks: tasksIn(fields["ids"]) });
      return;
    case "returned":
      for (const { id, attempt } of tasksOf(fields["tasks"])) section.returned.add(`${id}:${attempt}`);
      return;
    case "retries":
      addRetries(section.retried, fields["tasks"]);
      return;
    case "window":
      // A driver that takes over begins with a small one.
      section.window = Math.max(natural(fields["tasks"]) ?? 0, section.window ?? 0);
      return;
    case "end":
      section.end = {
        at: textOf(fields["at"]),
        reason: textOf(fields["reason"]),
        done: natural(fields["done"]),
        ids: natural(fields["ids"]),
        listRead: typeof fields["listRead"] === "boolean" ? fields["listRead"] : null,
        bytes: natural(fields["bytes"]),
      };
      return;
    default:
      // Of a later driver, which knows more.
      return;
  }
}

function runOf(fields: Fields): LedgerRun {
  const from: unknown = fields["resumedFrom"];
  return {
    version: natural(fields["version"]) ?? 1,
    runId: textOf(fields["runId"]),
    at: textOf(fields["at"]),
    host: textOf(fields["host"]),
    pid: natural(fields["pid"]) ?? 0,
    cwd: textOf(fields["cwd"]),
    taskFile: textOf(fields["taskFile"]),
    resumedFrom: Array.isArray(from) ? from.filter((path) => typeof path === "string") : [],
    setAside: typeof fields["setAside"] === "string" ? fields["setAside"] : null,
    ids: natural(fields["ids"]),
    args: textsOf(fields["args"]),
    list: listOf(fields["list"]),
  };
}

function driversOf(fields: Fields): readonly LedgerDriver[] {
  const pid = natural(fields["pid"]);
  if (pid === null) return [];
  const stamp: unknown = fields["process"];
  const known = isRecord(stamp) && typeof stamp["boot"] === "string" && typeof stamp["start"] === "string";
  const host = textOf(fields["host"]);
  return [
    {
      host,
      pid,
      process: known ? { boot: textOf(stamp["boot"]), start: textOf(stamp["start"]) } : null,
      hostOnly: fields["hostOnly"] === true,
      storeHost: typeof fields["storeHost"] === "string" ? fields["storeHost"] : null,
    },
  ];
}

function firstTries(ids: unknown): readonly LedgerTask[] {
  return tasksIn(ids).map(({ id }) => ({ id, attempt: 1 }));
}

function listOf(value: unknown): ListFacts | null {
  if (!isRecord(value)) return null;
  switch (value["kind"]) {
    case "file": {
      const [path, sha256] = [textOf(value["path"]), textOf(value["sha256"])];
      const bytes = natural(value["bytes"]);
      return bytes === null ? null : { kind: "file", path, bytes, sha256 };
    }
    case "stream":
      return { kind: "stream", spool: textOf(value["spool"]), name: textOf(value["name"]) };
    case "program":
      return { kind: "program", spool: textOf(value["spool"]) };
    default:
      return null;
  }
}

function textsOf(value: unknown): readonly string[] | null {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : null;
}

function lossOf(kind: Loss["kind"], fields: Fields): Loss {
  return {
    kind,
    at: textOf(fields["at"]),
    rank: natural(fields["rank"]),
    host: typeof fields["host"] === "string" ? fields["host"] : null,
    why: textOf(fields["why"]),
    tasks: tasksOf(fields["tasks"]),
  };
}

function addRetries(retried: Section["retried"], value: unknown): void {
  for (const { id, attempt, fields } of eachTask(value)) {
    const returnCode: unknown = fields["returnCode"];
    if (typeof returnCode !== "number" || !Number.isSafeInteger(returnCode)) continue;
    const before = retried.get(id) ?? [];
    // A repetition is not another attempt.
    if (before.some((each) => each.attempt === attempt)) continue;
    retried.set(id, [...before, { attempt, returnCode }]);
  }
}

function tasksOf(value: unknown): readonly LedgerTask[] {
  return eachTask(value).map(({ id, attempt }) => ({ id, attempt }));
}

function eachTask(value: unknown): readonly (LedgerTask & { readonly fields: Fields })[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => {
    if (!isRecord(each)) return [];
    const [id, attempt] = [natural(each["id"]), natural(each["attempt"])];
    return id === null || attempt === null ? [] : [{ id, attempt, fields: each }];
  });
}

/** Which attempt it was is not known: 0. */
function tasksIn(value: unknown): readonly LedgerTask[] {
  const tasks: LedgerTask[] = [];
  const ranges: readonly unknown[] = Array.isArray(value) ? value : [];
  for (const range of ranges) {
    const ends: readonly unknown[] = Array.isArray(range) ? range : [];
    const [first, last] = [natural(ends[0]), natural(ends[1])];
    if (first === null || last === null) continue;
    // More than any driver has at a time: it is not one of theirs.
    for (let id = first; id <= last && tasks.length < mostUnrecorded; id++) tasks.push({ id, attempt: 0 });
  }
  return tasks;
}

const mostUnrecorded = 100_000;

function jsonRecord(line: string): Fields | null {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function natural(value: unknown): number | null {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
