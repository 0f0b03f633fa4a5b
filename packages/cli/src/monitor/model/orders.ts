import { plural } from "../../wording.js";
import type { ContextPicture, EnginePicture, Picture } from "./picture.js";

/** A retirement that somebody wants. */
export interface Order {
  readonly scope: "engine" | "context";
  /** Label of the context, or id of the engine. */
  readonly name: string;
  /** What a person calls it. */
  readonly what: string;
}

export interface PendingOrder {
  readonly order: Order;
  /** ms, monotonic. */
  readonly askedAt: number;
}

export interface Question {
  readonly order: Order;
  readonly title: string;
  /** What will happen. */
  readonly lines: readonly string[];
}

export function retireEngine(picture: Picture, engine: EnginePicture): Question {
  const context = picture.contexts.find(({ label }) => label === engine.context);
  const what = `engine ${engine.rank}`;
  const lines = [
    `${what} on ${engine.host}, of context ${engine.context}, runs ${plural(engine.busy, "task")} now.`,
    `${whatRuns(engine.busy)} the engine takes nothing new, runs its PERENGINE STOP commands, if there are any, and leaves.`,
  ];
  if (context?.method === "slurm") lines.push("Its node is handed back to Slurm, unless with --no-retire.");
  lines.push(whoIsLeft(picture, 1));
  return {
    order: { scope: "engine", name: engine.id, what },
    title: `Retire ${what}?`,
    lines,
  };
}

export function retireContext(picture: Picture, context: ContextPicture): Question {
  const what = `context ${context.label}`;
  const lines = [
    `${what} has ${plural(context.up, "engine")} with ${plural(context.slots, "slot")}, which run ${plural(context.busy, "task")} now.`,
    `${whatRuns(context.busy)} its engines take nothing new, run their PERENGINE STOP commands, if there are any, and leave. It gets no new engines.`,
  ];
  if (context.method === "slurm") {
    lines.push("Each node is handed back to Slurm as soon as its engine has left, unless with --no-retire.");
  }
  lines.push(whoIsLeft(picture, context.up));
  return {
    order: { scope: "context", name: context.label, what },
    title: `Retire ${what}?`,
    lines,
  };
}

function whatRuns(busy: number): string {
  if (busy === 0) return "At once";
  return busy === 1 ? "That task finishes;" : "These tasks finish;";
}

function whoIsLeft(picture: Picture, retiring: number): string {
  const left = picture.engines - retiring;
  if (left > 0) return `${left === 1 ? "One other engine goes" : `${left} other engines go`} on.`;
  const then = picture.run?.serves
    ? "the run waits until new ones come"
    : "the run ends with what is not done, unless new ones come";
  return `No other engine is left: ${then}.`;
}

/** Whether an order can be seen in what engines and contexts are told to do. */
export function isTaken(picture: Picture, { scope, name }: Order): boolean {
  const context = picture.contexts.find(({ label }) => label === name);
  if (scope === "context") return context === undefined || context.retiring || context.goneSince !== null;
  const engine = picture.contexts
    .flatMap(({ members }) => members)
    .find((member) => member.kind === "engine" && member.id === name);
  return engine?.kind !== "engine" || engine.retiring || engine.goneSince !== null;
}
