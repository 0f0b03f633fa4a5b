import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { parseEngineConfig } from "./engine-config.js";
import { type ControlLine, readEngineInput } from "./engine-input.js";
import { Engine, type StopCause } from "./engine.js";
import { createLauncher } from "./launcher/create.js";
import { settleShellLevel } from "./shell-level.js";

/** An engine process: one line of JSON on standard input, then work until it has left. Exit status 0, or 1 and a message. */
async function main(): Promise<void> {
  settleShellLevel(process.env);
  let engine: Engine | null = null;
  let allocation = false;
  const stop = (why: string, cause: StopCause): void => {
    // Nothing has been claimed yet.
    if (engine === null) process.exit(0);
    engine.stop(why, cause);
  };
  // A batch system warns of the end with one of the first two, as the job asked for, or ends it with the last. From the start on, as
  // Node itself would open a port for debuggers.
  for (const signal of ["SIGUSR1", "SIGUSR2"] as const)
    process.on(signal, () => (allocation ? stop(signal, "signal") : undefined));
  process.on("SIGTERM", () => stop("SIGTERM", allocation ? "signal" : "order"));
  // A terminal's signals are for the driver, which tells us what to do.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  const input = readEngineInput(process.stdin, (order: ControlLine) => {
    switch (order.kind) {
      case "stop":
        return stop("told to stop by its context", "order");
      case "kill":
        return die();
      case "unknown":
        return engine?.note("an unknown control line", { line: order.line.slice(0, 100) });
    }
  });
  const first = await input.config;
  // The driver died before it said what to do: nothing has been claimed, nothing to say.
  if (first === "") return;
  const config = parseEngineConfig(first);
  allocation = config.allocation;
  const { address } = config;
  const place = { address, runId: runId(config.runId), role: "engine" } as const;
  const store = await connectRedisStore({ ...place, waitMs: connectMs });
  engine = new Engine(config, {
    store,
    connect: (signal) => connectRedisStore({ ...place, waitMs: Infinity, signal }),
    starterGone: input.ended,
    launcher: (events) =>
      createLauncher({
        kind: config.launcher,
        events,
        cwd: process.cwd(),
        spawner: nativeSpawner(),
        onNote: (note) => engine?.note(note, {}),
        ...(config.livenessFd === undefined ? {} : { livenessFd: config.livenessFd }),
      }),
  });
  await engine.run();
}

const connectMs = 30_000;

/** It lies beside us where it could be compiled. */
function nativeSpawner(): string | null {
  const path = fileURLToPath(
    new URL(`taskmuster-spawner-${process.platform}-${process.arch}`, import.meta.url),
  );
  return existsSync(path) ? path : null;
}

/** At once: the guardian kills what we ran. */
function die(): never {
  // As a container's first process we are immune to our own signals.
  if (process.pid > 1) process.kill(process.pid, "SIGKILL");
  process.exit(137);
}

// An engine whose driver is gone may find its standard error closed.
process.stderr.on("error", () => undefined);

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`engine: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
