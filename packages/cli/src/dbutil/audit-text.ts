import type { Audit } from "@taskmuster/driver/audit";
import { failureText, returnCodeText } from "../wording.js";
import { nextSteps } from "./audit-next.js";
import {
  begunText,
  contradictionText,
  counted,
  damageText,
  faultText,
  number,
  rangesText,
  rangeText,
  repeatText,
  stateText,
} from "./audit-words.js";

/** Items of a list that are shown without `--all`. */
const shortList = 10;
/** Ids in the first sentence. */
const fewIds = 5;
/** Ids on one line. */
const idsOfLine = 20;

/** What `dbutil audit` prints, line by line. `taskFile`: as the next command should name it. */
export function* auditText(
  audit: Audit,
  options: { readonly all: boolean; readonly taskFile: string },
): Generator<string> {
  const most = options.all ? Number.POSITIVE_INFINITY : shortList;
  yield summary(audit);
  yield row("file", `${audit.parts.file.path}: ${counted(audit.parts.rows.counts.rows, "row")}`);
  yield row("run", stateText(audit));
  yield* aboutSources(audit);
  yield* labelled("no row", cut(lines(audit.missing()), most));
  yield* labelled("begun", cut(begunLines(audit), most));
  yield* labelled("failed", cut(failedLines(audit), most));
  yield* labelled("retried", cut(retriedLines(audit), most));
  yield* labelled("repeated", cut(repeatedLines(audit), most));
  if (audit.askedCount > 0) {
    yield row(
      "again",
      `${counted(audit.askedCount, "task")} that had failed in an earlier run ran again (-R)`,
    );
  }
  yield* labelled("damage", audit.damage.map(damageText));
  yield* labelled("", cut(damageLines(audit), most));
  yield* labelled("next", nextSteps(audit, options.taskFile));
}

function summary(audit: Audit): string {
  const { rows, list } = audit.parts;
  const { counts } = rows;
  const succeeded = counts.tasks - counts.failed + counts.skipped - counts.skippedFailed;
  const failed = counts.failed + counts.skippedFailed;
  const tasks = list?.tasks ?? Math.max(0, audit.total.ids - counts.barriers);
  const parts = [`${number(succeeded)} ended well`];
  if (counts.skipped > 0) parts[0] += ` (${number(counts.skipped - counts.skippedFailed)} in earlier runs)`;
  if (failed > 0) parts.push(`${number(failed)} failed`);
  const missing = audit.missingCount;
  const verb = missing === 1 ? "has" : "have";
  if (missing > 0) parts.push(`${number(missing)} ${verb} no row (${rangesText(audit.missing(), fewIds)})`);
  const atLeast = audit.isTotalKnown ? "" : "at least ";
  const repeated =
    audit.repeatedCount === 0
      ? "none is known to have run more than once"
      : `${number(audit.repeatedCount)} may have run more than once (${rangesText(repeatedIds(audit), fewIds)})`;
  const whole = audit.verdict.damaged
    ? "the file is DAMAGED"
    : audit.parts.rows.torn !== null
      ? "the file is whole but for its last line, which is torn"
      : "the file is whole";
  return `${atLeast}${counted(tasks, "task")}: ${parts.join(", ")}; ${repeated}; ${whole}`;
}

/** What is known from where, as far as it is out of the ordinary. */
function* aboutSources(audit: Audit): Generator<string> {
  const { ledger, earlier, list, section } = audit.parts;
  switch (ledger.found) {
    case "read":
      if (!audit.namesAllBegun)
        yield row(
          "note",
          "this ledger does not name tasks that were stopped and handed back: those may have run twice too",
        );
      break;
    case "missing":
      yield row("ledger", `there is none (${ledger.path ?? ""}): ${unknownWithout}`);
      break;
    case "unreadable":
      yield row("ledger", `${ledger.path ?? ""} cannot be read (${ledger.why}): ${unknownWithout}`);
      break;
    case "unnamed":
      yield row(
        "ledger",
        `the file's name is not PREFIX_status.txt, so its ledger cannot be found: ${unknownWithout}`,
      );
      break;
    case "otherRun":
      yield row("ledger", `${ledger.path ?? ""} is of another run than this file: ${unknownWithout}`);
      break;
  }
  if (ledger.badLines.length > 0) {
    yield row(
      "ledger",
      `${counted(ledger.badLines.length, "line")} of it cannot be read, the first is ${ledger.badLines[0] ?? 0}`,
    );
  }
  if (!audit.isTotalKnown) {
    yield row(
      "note",
      "how many tasks the list has is not known: counted up to the highest that has a row (--list TASKFILE tells)",
    );
  }
  if (list !== null)
    yield row("list", `${list.path}: ${counted(list.tasks, "task")}, ${counted(list.barriers, "barrier")}`);
  for (const { path, why } of earlier) {
    yield row(
      "earlier",
      why === null ? path : `${path} cannot be looked at (${why}): what it ran is not known`,
    );
  }
  if (section !== null && section.epochs > 1) {
    yield row("note", `${number(section.epochs)} drivers had this run, one after the other`);
  }
}

const unknownWithout =
  "nothing tells whether the run has ended, how many tasks its list has, and which were lost with an engine";

/** Ids, several to a line. */
function* lines(ranges: Iterable<readonly [number, number]>): Generator<string> {
  let words: string[] = [];
  for (const range of ranges) {
    words.push(rangeText(range));
    if (words.length < idsOfLine) continue;
    yield words.join(", ");
    words = [];
  }
  if (words.length > 0) yield words.join(", ");
}

function* begunLines(audit: Audit): Generator<string> {
  for (const { id, attempts } of audit.begunWithoutRow()) {
    const { loss } = attempts.at(-1) ?? { loss: null };
    yield `task ${id} ${loss === null ? "may have run in part" : begunText(loss)}`;
  }
  if (audit.hidesBegun && (audit.missingCount > 0 || !audit.isTotalKnown)) {
    yield "which of the tasks without a row had begun is not known";
  }
}

function* failedLines(audit: Audit): Generator<string> {
  for (const skipped of [false, true]) {
    for (const [first, last] of audit.failed(skipped)) {
      for (let id = first; id <= last; id++) {
        const final = audit.final(id);
        if (final === null) continue;
        const before = skipped ? ", in an earlier run" : "";
        yield `task ${id} (line ${final.line}): ${failureText(final)}${before}`;
      }
    }
  }
}

function* retriedLines(audit: Audit): Generator<string> {
  for (const { id, attempts } of audit.retried()) {
    const final = audit.final(id);
    const place = final === null ? "" : ` (line ${final.line})`;
    const words = attempts.map(
      ({ attempt, returnCode }) => `attempt ${attempt}: ${returnCodeText(returnCode)}`,
    );
    yield `task ${id}${place}: ${words.join(", ")}${final === null ? "; no attempt after that has ended" : ""}`;
  }
}

/** Neighbours of which the same is to be said share a line. */
function* repeatedLines(audit: Audit): Generator<string> {
  let open: { first: number; last: number; words: string; line: number | null } | null = null;
  for (const repeat of audit.repeated()) {
    const words = repeatText(repeat);
    if (open !== null && open.last === repeat.id - 1 && open.words === words) {
      open.last = repeat.id;
      continue;
    }
    if (open !== null) yield repeatedLine(open);
    const line = repeat.final?.line ?? audit.final(repeat.id)?.line ?? null;
    open = { first: repeat.id, last: repeat.id, words, line };
  }
  if (open !== null) yield repeatedLine(open);
}

function repeatedLine(of: { first: number; last: number; words: string; line: number | null }): string {
  if (of.first !== of.last) return `tasks ${of.first}-${of.last}: ${of.words}`;
  return `task ${of.first}${of.line === null ? "" : ` (line ${of.line})`}: ${of.words}`;
}

function* repeatedIds(audit: Audit): Generator<readonly [number, number]> {
  let open: [number, number] | null = null;
  for (const { id } of audit.repeated()) {
    if (open?.[1] === id - 1) open[1] = id;
    else {
      if (open !== null) yield open;
      open = [id, id];
    }
  }
  if (open !== null) yield open;
}

function* damageLines(audit: Audit): Generator<string> {
  const { rows, list } = audit.parts;
  for (const { at, fault } of rows.bad()) yield `line ${at}: ${faultText(fault)}`;
  for (const { id, at, first } of audit.secondRows()) {
    yield `line ${at}: a second row of task ${id}, the first is line ${first}`;
  }
  for (const { at, id, what } of audit.oddRows()) {
    yield `line ${at}, task ${id}: ${contradictionText(what)}`;
  }
  for (const id of audit.skippedUnknown())
    yield `task ${id}: marked as done before, and no earlier file has it`;
  for (const range of list?.others ?? []) yield `task ${rangeText(range)}: not what the list has`;
}

function* cut(items: Iterable<string>, most: number): Generator<string> {
  let count = 0;
  for (const item of items) {
    if (count++ < most) yield item;
  }
  if (count > most) yield `… and ${number(count - most)} more (--all shows them)`;
}

function* labelled(label: string, items: Iterable<string>): Generator<string> {
  let isFirst = true;
  for (const item of items) {
    yield row(isFirst ? label : "", item);
    isFirst = false;
  }
}

function row(label: string, words: string): string {
  return `${label.padEnd(8)} ${words}`;
}
