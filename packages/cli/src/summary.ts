import { type RunView, reasonText } from "@taskmuster/driver";
import { duration, failureText, lastLine, plural, printable } from "./wording.js";

export interface SummaryInput {
  readonly view: RunView;
  /** Tasks of the list; null: not known. */
  readonly total: number | null;
  /** Since the run began, whoever drove it. */
  readonly wallSeconds: number;
  readonly statusFile: string;
  readonly driverLog: string;
  /** What to type to go on with what is left; null when nothing is. */
  readonly resume: string | null;
}

/** What a person is told at the end of a run, line by line. */
export function summaryLines(input: SummaryInput, columns: number): readonly string[] {
  const { view } = input;
  const lines = [
    row("tasks", counts(input)),
    row("wall time", duration3(input.wallSeconds)),
    ...(view.unrecorded === 0 ? [] : [row("NOT RECORDED", unrecordedText(view.unrecorded))]),
    row("task time", `${duration3(view.taskSeconds)}${speedUp(input)}`),
    row("status file", input.statusFile),
    row("driver log", input.driverLog),
  ];
  const failed = view.failed + view.perEngineFailed;
  if (view.failures.length > 0) {
    const first =
      view.failures.length < failed ? `the first ${view.failures.length} of ${failed}` : String(failed);
    lines.push("", `failed: ${first}`);
    for (const failure of view.failures) {
      const place = failure.perEngine ? `PERENGINE, line ${failure.line}` : `line ${failure.line}`;
      const head = `  ${place}: ${failureText(failure)}  `;
      lines.push(head + printable(failure.command, Math.max(20, columns - head.length)));
      const words = lastLine(failure.lastWords, Math.max(20, columns - 6));
      if (words !== "") lines.push(`      ${words}`);
    }
  }
  const reason = reasonText(view.reason);
  if (reason !== null) lines.push("", reason);
  if (input.resume !== null) lines.push(`To go on: ${input.resume}`);
  return lines;
}

/** The same as one JSON value. */
export function summaryJson(input: SummaryInput): object {
  const { view } = input;
  return {
    reason: view.reason?.kind ?? "finished",
    message: reasonText(view.reason),
    tasks: input.total,
    done: view.done,
    failed: view.failed,
    skipped: view.skipped,
    skippedFailed: view.skippedFailed,
    unrecorded: view.unrecorded,
    perEngineFailed: view.perEngineFailed,
    retried: view.retried,
    lost: view.lost,
    left: left(input),
    slots: view.peakSlots,
    wallSeconds: round3(input.wallSeconds),
    taskSeconds: round3(view.taskSeconds),
    speedUp: input.wallSeconds > 0 ? round3(view.taskSeconds / input.wallSeconds) : 0,
    statusFile: input.statusFile,
    driverLog: input.driverLog,
    resume: input.resume,
    failures: view.failures.map((failure) => ({
      id: failure.id,
      line: failure.line,
      perEngine: failure.perEngine,
      returnCode: failure.returnCode,
      timedOut: failure.timedOut,
      command: new TextDecoder().decode(failure.command),
      lastWords: new TextDecoder().decode(failure.lastWords),
    })),
  };
}

/** Tasks without a row of this run; null when the length of the list is not known. */
function left({ view, total }: SummaryInput): number | null {
  return total === null ? null : Math.max(0, total - view.done + view.unrecorded - view.skipped);
}

function counts(input: SummaryInput): string {
  const { view } = input;
  const parts = [`${view.done} done`];
  if (view.failed > 0) parts.push(`${view.failed} failed`);
  if (view.skipped > 0) parts.push(`${view.skipped} skipped`);
  if (view.skippedFailed > 0) parts.push(`${view.skippedFailed} of them failed before`);
  if (view.perEngineFailed > 0) parts.push(`${plural(view.perEngineFailed, "PERENGINE command")} failed`);
  if (view.retried > 0) parts.push(`${view.retried} tried again`);
  if (view.lost > 0) parts.push(`${view.lost} lost with an engine`);
  const rest = left(input);
  if (rest !== null && rest > 0) parts.push(`${rest} not done`);
  return parts.join(", ");
}

/** They are on disk nowhere, so a resume runs them again. */
function unrecordedText(tasks: number): string {
  return `${plural(tasks, "task")} that ended: the status file could not be written. A resume runs ${tasks === 1 ? "it" : "them"} again`;
}

function speedUp({ view, wallSeconds }: SummaryInput): string {
  if (view.taskSeconds <= 0 || wallSeconds <= 0) return "";
  return `, speed-up ${(view.taskSeconds / wallSeconds).toFixed(1)} on ${plural(view.peakSlots, "slot")}`;
}

function row(name: string, value: string): string {
  return `${name.padEnd(12)} ${value}`;
}

function duration3(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}
