import type { StatusRow } from "@taskmuster/driver/status-line";
import type { RunState, Task } from "@taskmuster/kvs/protocol";
import { duration, failureText } from "../../wording.js";
import { clean, cleanBytes, wrap } from "../render/cells.js";
import type { Style } from "../render/line.js";

/** All about one thing, for a dialog. */
export interface Card {
  readonly title: string;
  readonly facts: readonly Fact[];
}

interface Fact {
  /** Empty: the text stands alone. */
  readonly label: string;
  /** May have several lines, and anything in them. */
  readonly text: string;
  readonly style?: Style;
}

export type Failure = RunState["failures"][number];

/** `clockMs`: the driver's, ms since 1970. */
export function failureCard(failure: Failure, clockMs: number): Card {
  const { id, line, perEngine, host, end, elapsed, command, lastWords } = failure;
  const words = new TextDecoder().decode(lastWords).trimEnd();
  return {
    title: perEngine ? `PERENGINE command of line ${line} failed` : `Task ${id} failed`,
    facts: [
      { label: "line", text: `${line} of the task file` },
      { label: "result", text: failureText(failure), style: "bad" },
      { label: "ran on", text: host },
      { label: "ended", text: `${moment(end)}, ${ago(clockMs / 1000 - end)}` },
      { label: "took", text: took(elapsed) },
      { label: "command", text: `${cleanBytes(command)}${command.length >= mostCommandBytes ? "…" : ""}` },
      words === ""
        ? { label: "last words", text: "none: it wrote nothing to its standard error", style: "faint" }
        : { label: "last words", text: words },
    ],
  };
}

/** What a run state tells of a command at most. */
const mostCommandBytes = 200;

export function claimCard(task: Task, where: string): Card {
  return {
    title: `Task ${task.id}`,
    facts: [
      { label: "state", text: `with ${where}: it runs there, or is about to`, style: "busy" },
      { label: "line", text: `${task.line} of the task file${repeat(task.repeatIndex)}` },
      { label: "attempt", text: String(task.attempt) },
      { label: "command", text: cleanBytes(task.command) },
    ],
  };
}

export function rowCard(row: StatusRow): Card {
  const isBarrier = row.kind === "barrier" || row.kind === "checkBarrier";
  const { returnCode } = row;
  const result = returnCode === 0 ? "exit 0" : failureText({ returnCode, timedOut: row.kind === "timedOut" });
  const skipped = row.kind === "skipped" ? ", in an earlier run: skipped in this one" : "";
  const facts: Fact[] = [
    {
      label: "state",
      text: isBarrier ? "a barrier that has been passed" : `ended: ${result}${skipped}`,
      style: row.returnCode === 0 ? "good" : "bad",
    },
    { label: "line", text: `${row.line} of the task file${repeat(row.repeatIndex)}` },
    { label: isBarrier ? "driver on" : "ran on", text: `${row.node}, process ${row.pid}` },
    { label: "started", text: moment(row.start) },
    { label: "ended", text: moment(row.finish) },
    { label: "took", text: took(row.elapsed) },
  ];
  if (!isBarrier) {
    facts.push(
      { label: "output", text: stream(row.outBytes, row.outSnippet) },
      { label: "errors", text: stream(row.errBytes, row.errSnippet) },
    );
  }
  return {
    title: isBarrier ? `Barrier ${row.id}` : `Task ${row.id}`,
    facts: [...facts, { label: "command", text: cleanBytes(row.command) }],
  };
}

export function noteCard(title: string, text: string): Card {
  return { title, facts: [{ label: "", text }] };
}

export interface CardLine {
  /** Null: the card's text stands alone, without labels. */
  readonly label: string | null;
  readonly text: string;
  readonly style: Style;
}

/** Cells that labels take. */
export const labelCells = 12;

/** A card as lines of at most `cells` cells. */
export function cardLines(card: Card, cells: number): readonly CardLine[] {
  return card.facts.flatMap(({ label, text, style = "plain" }) => {
    const room = label === "" ? cells : cells - labelCells;
    const lines = text.split(/\r?\n/).flatMap((line) => wrap(clean(line), room));
    return lines.map((line, number) => ({
      label: label === "" ? null : number === 0 ? label : "",
      text: line,
      style,
    }));
  });
}

function repeat(index: number): string {
  return index === -1 ? "" : `, repeat index ${index}`;
}

function stream(bytes: number, snippet: string): string {
  return bytes === 0 ? "nothing" : `${bytes} bytes: ${snippet}`;
}

function took(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(3)} s` : duration(seconds);
}

/** Local time. Seconds since 1970. */
function moment(seconds: number): string {
  const at = new Date(seconds * 1000);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function ago(seconds: number): string {
  return seconds < 1 ? "just now" : `${duration(seconds)} ago`;
}
