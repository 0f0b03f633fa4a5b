import type { Wanted } from "@taskmuster/kvs/protocol";
import type { ContextLook, EngineLook } from "./look.js";
import { limitWords } from "../../wording.js";
import type { Condition } from "./picture.js";

/** An engine renews its lease every 5 s, or more often: after three times that in silence something is wrong. */
const lateMs = 15_000;

export function engineCondition(
  engine: EngineLook,
  context: ContextLook | undefined,
  runWanted: EngineLook["wanted"],
  heardMs: number,
  /** Why the driver told it to leave, if it did so of its own accord. */
  drained: string | undefined,
): Condition {
  if (engine.membership === "left") return { kind: "gone", why: engine.why };
  if (engine.membership === "expelled") return { kind: "lost", why: engine.why };
  if (heardMs > lateMs) return { kind: "late", why: "does not answer" };
  if (engine.wanted === "stop") return { kind: "stopping", why: whoWants(context, runWanted) };
  if (engine.wanted === "drain") return { kind: "draining", why: drained ?? whoWants(context, runWanted) };
  // An engine claims nothing before it has started; what it says of itself may be older.
  if (engine.claims > 0 && engine.stats?.state !== "draining")
    return { kind: "running", why: limitText(engine) };
  switch (engine.stats?.state) {
    case undefined:
      return { kind: "starting", why: "has joined" };
    case "starting":
      return { kind: "starting", why: "PERENGINE START" };
    case "draining":
      return { kind: "draining", why: engine.stats.why };
    case "running":
      return { kind: "running", why: limitText(engine) };
  }
}

/** Empty when it can use all its slots. */
function limitText({ stats, info }: EngineLook): string {
  return stats === null ? "" : limitWords(stats, info.slots);
}

/** Not only told to take nothing new for now. */
export function mustGo(wanted: Wanted): boolean {
  return wanted === "drain" || wanted === "stop";
}

function whoWants(context: ContextLook | undefined, runWanted: EngineLook["wanted"]): string {
  if (mustGo(runWanted)) return "the run ends";
  return context !== undefined && mustGo(context.wanted) ? "its context retires" : "retired";
}

/** `up`: engines of it that are members; `awaited`: nodes that none has joined from yet. */
export function contextCondition(context: ContextLook, up: number, awaited: number): Condition {
  const { info } = context;
  if (up === 0 && awaited === 0) {
    const failed = info.nodes.find(({ state }) => state === "failed");
    if (failed !== undefined) return { kind: "failed", why: `${failed.host}: ${failed.why}` };
    if (info.ended !== "") return { kind: "gone", why: info.ended };
    if (info.nodes.length > 0) return { kind: "gone", why: "all its engines have left" };
  }
  if (context.wanted === "stop") return { kind: "stopping", why: "" };
  if (context.wanted === "drain") return { kind: "draining", why: "retired" };
  if (context.credit === 0) return { kind: "draining", why: "limit reached (-C)" };
  if (info.ended !== "") return { kind: "draining", why: info.ended };
  if (up === 0) return { kind: "starting", why: "" };
  return {
    kind: "running",
    why: awaited === 0 ? "" : `${awaited} ${awaited === 1 ? "node" : "nodes"} to come`,
  };
}
