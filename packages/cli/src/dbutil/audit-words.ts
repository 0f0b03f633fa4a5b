import type { Audit, Damage, IdRange, Repeat, RowFault } from "@taskmuster/driver/audit";
import { plural, returnCodeText } from "../wording.js";

/** With commas: 1,000,000. */
export function number(count: number): string {
  return count.toLocaleString("en-US");
}

export function counted(count: number, noun: string): string {
  return plural(count, noun).replace(/^\d+/, number(count));
}

export function rangeText([first, last]: IdRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** The first `most` of them, and that there are more. */
export function rangesText(ranges: Iterable<IdRange>, most: number): string {
  const words: string[] = [];
  for (const range of ranges) {
    if (words.length === most) return `${words.join(", ")}, …`;
    words.push(rangeText(range));
  }
  return words.join(", ");
}

/** How a run ended, by the reason in its ledger. */
function endText(reason: string): string {
  return endTexts[reason] ?? reason;
}

const endTexts: Readonly<Record<string, string>> = {
  finished: "the list was worked through",
  drained: "it was asked to stop: what ran has ended, the rest was not started",
  stopped: "it was stopped, and what ran with it",
  failFast: "a task failed (--fail-fast), and what ran was stopped",
  barrierCheck: "a task before a BARRIER CHECK had failed",
  noEngines: "no engine was left",
  badInput: "the list could not be read on",
  broken: "it was broken off: rows could not be written, or its store was lost",
};

/** What is known of a task that has no row. */
export function begunText({ kind, why }: Repeat["begun"][number]["loss"]): string {
  const words = why === "" ? "" : ` (${why})`;
  switch (kind) {
    case "stopped":
      return `may have run in part: it was stopped${words}`;
    case "engine":
    case "launcher":
      return `may have run in part: it was lost${words}`;
    case "store":
      return `may have run, in part or to its end: its store was lost${words}`;
    case "unrecorded":
      return `ended, and its row could not be written${words}`;
  }
}

/** Why a task may have run more than once. */
export function repeatText(repeat: Repeat): string {
  const words: string[] = [];
  for (const { attempt, loss } of repeat.begun) {
    const place = [loss.rank === null ? "" : `engine ${loss.rank}`, loss.host ?? ""].filter(
      (part) => part !== "",
    );
    const on = place.join(" on ");
    const why = loss.why === "" ? "" : ` (${loss.why})`;
    if (loss.kind === "engine") words.push(`attempt ${attempt} was lost with ${on || "its engine"}${why}`);
    else if (loss.kind === "store")
      words.push(`attempt ${attempt} may have begun when the store was lost${why}`);
    else if (loss.kind === "launcher")
      words.push(`attempt ${attempt} was lost with its launcher${on === "" ? "" : `, ${on}`}${why}`);
    else if (loss.kind === "unrecorded") words.push(`it ended, and its row could not be written${why}`);
    else words.push(`attempt ${attempt} was stopped${on === "" ? "" : ` on ${on}`}${why}`);
  }
  for (const { at, returnCode } of repeat.late) {
    words.push(`an attempt that had been given up ended late: ${returnCodeText(returnCode)} (row ${at})`);
  }
  if (repeat.overlapSeconds > 0) {
    words.push(
      `two attempts ran AT THE SAME TIME for ${repeat.overlapSeconds.toFixed(3)} s, by the clocks of their hosts`,
    );
  }
  const { ended, begun, guessed } = repeat.past;
  if (ended > 0) words.push("it ran to its end in an earlier run");
  if (begun > guessed) words.push("an attempt of an earlier run did not end");
  if (guessed > 0) words.push("an earlier run may have begun it before it was killed or stopped");
  return words.join("; ");
}

export function faultText(fault: RowFault): string {
  switch (fault.what) {
    case "columns":
      return `it has ${counted(fault.found, "column")} instead of 15`;
    case "column":
      return `the column ${fault.name} holds what it cannot hold`;
    case "zeros":
      return "there are zero bytes in it, as a crash of the host leaves them";
    case "header":
      return "column names in the middle of the file: several files were put together";
    case "tooLong":
      return "it is longer than 16 MiB";
  }
}

export function contradictionText(what: "flags" | "negative" | "times"): string {
  switch (what) {
    case "flags":
      return "its flags R, O, E do not say what its columns say";
    case "negative":
      return "it took less than no time";
    case "times":
      return "it took longer than from its start to its finish (unless the clock of its host was set back)";
  }
}

export function damageText(damage: Damage): string {
  switch (damage.kind) {
    case "badLines":
      return `${counted(damage.count, "line")} ${damage.count === 1 ? "is no row" : "are no rows"}`;
    case "torn":
      return `the last line, ${number(damage.at)}, is cut off`;
    case "secondRows":
      return `${counted(damage.count, "row")} of tasks that have one already`;
    case "oddRows":
      return `${counted(damage.count, "row")} ${damage.count === 1 ? "contradicts itself" : "contradict themselves"}`;
    case "doneDiffers":
      return `the ledger says that ${counted(damage.ledger, "task")} ended, and the file has rows of ${number(damage.file)}`;
    case "lengthDiffers":
      return `the file had ${counted(damage.ledger, "byte")} when the run ended, and has ${number(damage.file)} now`;
    case "beyondList":
      return `there are rows of tasks that the list does not have, up to task ${number(damage.highest)}`;
    case "skippedUnknown":
      return `${counted(damage.count, "row")} marked as done by an earlier run (S), of which no earlier file has a row`;
    case "otherTasks":
      return `${counted(damage.count, "row")} with another line or command than the list has`;
  }
}

/** How a run stands. */
export function stateText(audit: Audit): string {
  const { state, section } = audit.parts;
  const run = section?.run ?? null;
  const driver = run === null ? "its driver" : `its driver (${run.host}, process ${run.pid})`;
  switch (state) {
    case "ended":
      return `it has ended: ${endText(section?.end?.reason ?? "")}`;
    case "atWork":
      return `it is still at work: what has no row yet is not missing (${driver})`;
    case "brokenOff":
      return `${driver} was killed: it has not written how the run ended`;
    case "unknown":
      return section === null
        ? "nothing tells whether it has ended"
        : `${driver} has not written how the run ended: it is still at work there, or was killed`;
  }
}
