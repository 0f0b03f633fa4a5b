import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { engineId, runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import { parseEngineConfig } from "./engine-config.js";
import { Engine } from "./engine.js";
import { createLauncher } from "./launcher/create.js";

/** An engine process: one line of JSON on standard input, then work until it has left. Exit status 0, or 1 and a message. */
async function main(): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const starterGone = new Promise<void>((resolve) => lines.once("close", () => resolve()));
  const first = await Promise.race([
    new Promise<string>((resolve) => lines.once("line", resolve)),
    starterGone.then(() => ""),
  ]);
  // The driver died before it said what to do: nothing has been claimed, nothing to say.
  if (first === "") return;
  const config = parseEngineConfig(first);
  const store = await connectRedisStore({
    address: config.address,
    runId: runId(config.runId),
    role: "engine",
    waitMs: connectMs,
  });
  const engine = new Engine(engineId(randomBytes(8).toString("hex")), config, {
    store,
    starterGone,
    launcher: (events) =>
      createLauncher({
        kind: config.launcher,
        events,
        cwd: process.cwd(),
        ...(config.livenessFd === undefined ? {} : { livenessFd: config.livenessFd }),
      }),
  });
  process.on("SIGTERM", () => engine.stop("SIGTERM"));
  // A terminal's signals are for the driver, which tells us what to do.
  for (const signal of ["SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);
  await engine.run();
}

const connectMs = 30_000;

// An engine whose driver is gone may find its standard error closed.
process.stderr.on("error", () => undefined);

main().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`engine: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
