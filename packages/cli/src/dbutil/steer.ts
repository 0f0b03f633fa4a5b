import { setTimeout as delay } from "node:timers/promises";
import { TaskmusterError } from "@taskmuster/kvs";
import {
  type EngineSnapshot,
  type Snapshot,
  type Wanted,
  encodeRequest,
  protocolVersion,
} from "@taskmuster/kvs/protocol";
import { engineInfoOf } from "../self-descriptions.js";
import { UsageError } from "../usage-error.js";
import { plural } from "../wording.js";
import { askedBy } from "./connect-run.js";
import type { RunLookStore } from "./look-store.js";

type Steered = Pick<RunLookStore, "snapshot" | "ask">;

/** What a name on the command line stands for. */
type Target =
  | { readonly scope: "context"; readonly name: string; readonly words: string }
  | { readonly scope: "engine"; readonly name: string; readonly words: string };

/** Longer than the time between two beats of a driver that is alive. */
const answerMs = 10_000;

/**
 * Asks the driver to let engines or whole contexts go, and waits until it has told them. Answers what to say. Throws `UsageError` on a
 * name that nobody has.
 */
export async function retire(
  store: Steered,
  isOver: () => boolean,
  names: readonly string[],
  now: boolean,
): Promise<readonly string[]> {
  const snapshot = await store.snapshot();
  if (!snapshot.open) throw new UsageError("the run has ended");
  const targets = names.flatMap((name) => targetsOf(name, snapshot));
  const wanted = now ? "stop" : "drain";
  for (const { scope, name } of targets) await ask(store, scope, name, wanted);
  await answered(store, isOver, (seen) => targets.every((target) => isTold(target, seen)));
  return targets.map(({ words }) =>
    now
      ? `${words}: stops its tasks, hands them back and leaves`
      : `${words}: finishes what it runs and leaves`,
  );
}

/** Asks the driver to end the run, and waits until it does so. Answers what to say. */
export async function stop(store: Steered, isOver: () => boolean, now: boolean): Promise<string> {
  if (!(await store.snapshot()).open) throw new UsageError("the run has ended");
  await ask(store, "run", "", now ? "stop" : "drain");
  await answered(store, isOver, (seen) => !seen.open || seen.wanted !== "run");
  return now
    ? "the run stops what runs, and ends"
    : "the run finishes what runs, starts nothing more, and ends";
}

async function ask(
  store: Steered,
  scope: "run" | "context" | "engine",
  name: string,
  wanted: "drain" | "stop",
): Promise<void> {
  const version = protocolVersion;
  await store.ask(encodeRequest({ kind: "order", version, scope, name, wanted, by: askedBy() }));
}

/** A context's label, an engine's rank, or a host: all engines on it. */
function targetsOf(name: string, { contexts, engines }: Snapshot): readonly Target[] {
  const context = contexts.find((each) => each.context === name);
  const members = engines.filter(({ state }) => state === "member");
  if (context !== undefined) {
    const count = members.filter((engine) => engine.context === name).length;
    return [{ scope: "context", name, words: `context ${name} (${plural(count, "engine")})` }];
  }
  const found = members.filter((engine) => String(engine.rank) === name || hostOf(engine) === name);
  if (found.length > 0) {
    return found.map((engine) => ({
      scope: "engine",
      name: engine.engine,
      words: `engine ${engine.rank} on ${hostOf(engine)}`,
    }));
  }
  const gone = engines.find((engine) => String(engine.rank) === name || hostOf(engine) === name);
  if (gone !== undefined) throw new UsageError(`engine ${gone.rank} on ${hostOf(gone)} is gone already`);
  const there = [
    ...contexts.map((each) => each.context),
    ...members.map((engine) => `${engine.rank} (${hostOf(engine)})`),
  ];
  throw new UsageError(
    `${JSON.stringify(name)} is neither a context nor an engine of this run; there ${there.length === 0 ? "are none" : `are ${there.slice(0, 20).join(", ")}${there.length > 20 ? ", …" : ""}`}`,
  );
}

function hostOf(engine: EngineSnapshot): string {
  return engineInfoOf(engine.info).host;
}

function isTold(target: Target, { open, contexts, engines }: Snapshot): boolean {
  if (!open) return true;
  const wanted: Wanted | undefined =
    target.scope === "context"
      ? contexts.find(({ context }) => context === target.name)?.wanted
      : engines.find(({ engine }) => engine === target.name)?.wanted;
  return wanted !== "run";
}

/** Until `done`, or the run is over: a private store that is gone answers nothing any more. */
async function answered(
  store: Steered,
  isOver: () => boolean,
  done: (seen: Snapshot) => boolean,
): Promise<void> {
  const until = performance.now() + answerMs;
  while (!isOver()) {
    const seen = await Promise.race([store.snapshot(), delay(lookMs, null)]);
    if (seen !== null && done(seen)) return;
    if (performance.now() > until) {
      throw new TaskmusterError(
        "E_KVS",
        `the driver has not answered within ${answerMs / 1000} s: is it alive? It will do what was asked if it comes back`,
      );
    }
    await delay(100);
  }
}

const lookMs = 2_000;
