import { duration } from "../../wording.js";
import type { Model, RunEnd } from "../model/model.js";
import type { Condition, ConditionKind } from "../model/picture.js";
import type { Style } from "./line.js";

/** `1,234,567` */
export function count(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** A driver beats once a second: after so long in silence a person is told. */
const silentMs = 10_000;

export interface Phase {
  readonly glyph: string;
  readonly text: string;
  readonly style: Style;
}

/** How the run is, in words. */
export function phaseOf({ link, picture, now }: Model): Phase {
  const run = picture?.run ?? null;
  switch (link.kind) {
    case "connecting":
      return { glyph: "○", text: "looking for the run", style: "starting" };
    case "ended":
      return { glyph: "●", text: `the run has ended: ${endText(picture, link.end)}`, style: "strong" };
    case "unreachable": {
      const since = duration((now - link.since) / 1000);
      return { glyph: "▲", text: `no word from the key-value store for ${since}`, style: "bad" };
    }
    case "live":
      break;
  }
  if (picture === null || run === null)
    return { glyph: "○", text: "no word from the driver yet", style: "starting" };
  if (run.phase === "ended") return { glyph: "●", text: "ends", style: "strong" };
  if (picture.driverSilentMs > silentMs) {
    const since = duration(picture.driverSilentMs / 1000);
    return {
      glyph: "▲",
      text: `the driver has been silent for ${since}; should it be dead: driver --recover`,
      style: "bad",
    };
  }
  if (run.held !== "") return { glyph: "▲", text: `waiting: ${run.held}`, style: "bad" };
  if (run.phase === "stopping") return { glyph: "◐", text: "stopping what runs", style: "warning" };
  if (run.phase === "draining")
    return { glyph: "◐", text: "finishing what runs, then it ends", style: "warning" };
  if (picture.engines === 0) return { glyph: "○", text: "waiting for engines", style: "warning" };
  if (run.atBarrier !== null)
    return { glyph: "●", text: `running, waiting at barrier ${run.atBarrier}`, style: "good" };
  return { glyph: "●", text: "running", style: "good" };
}

function endText(picture: Model["picture"], end: RunEnd | null): string {
  const words = endReasons[end?.reason ?? ""];
  if (words !== undefined) return words;
  if (picture === null) return "it is no longer there, or never was";
  return picture.totals.left === 0 ? "all tasks are done" : "this is what was last known of it";
}

const endReasons: Readonly<Record<string, string>> = {
  finished: "all tasks are done",
  drained: "what ran has finished, the rest was not started",
  stopped: "what ran was stopped",
  failFast: "a task failed (--fail-fast)",
  barrierCheck: "a task before a BARRIER CHECK failed",
  noEngines: "no engine was left",
  badInput: "its list could not be read on",
  broken: "it was broken off",
};

const glyphs: Readonly<Record<ConditionKind, readonly [string, Style]>> = {
  starting: ["○", "starting"],
  running: ["●", "good"],
  late: ["▲", "bad"],
  draining: ["◐", "warning"],
  stopping: ["◐", "bad"],
  gone: ["×", "faint"],
  lost: ["✗", "bad"],
  failed: ["✗", "bad"],
};

export function conditionGlyph(kind: ConditionKind): readonly [string, Style] {
  return glyphs[kind];
}

export function conditionText({ kind, why }: Condition): string {
  return why === "" ? kind : `${kind}: ${why}`;
}
