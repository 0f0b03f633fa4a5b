import { TaskmusterError } from "@taskmuster/kvs";
import { runDriver } from "./driver-command.js";
import { exitCodeOfError } from "./exit-codes.js";

// Node would open a debugger on USR1 and die of USR2; a scheduler may send them at any time.
for (const signal of ["SIGUSR1", "SIGUSR2"] as const) process.on(signal, () => undefined);

/** The command `driver`, also known as disBatch. The only file that ends its process. */
let unwritten: Error | null = null;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // Whoever read what we say has gone (`driver … | head`, a closed terminal): the run goes on, and nobody misses anything.
  if (error.code !== "EPIPE" && error.code !== "EIO" && error.code !== "EBADF") unwritten = error;
});
process.stderr.on("error", () => undefined);

const args = process.argv.slice(2);

runDriver(args, (code) => process.exit(code)).then(
  (code) => {
    // A write that failed tells so in the next turn of the loop.
    setImmediate(() => {
      if (unwritten !== null)
        process.stderr.write(`driver: standard output cannot be written: ${unwritten.message}\n`);
      process.exit(unwritten === null ? code : Math.max(code, 1));
    });
  },
  (error: unknown) => {
    const known = error instanceof TaskmusterError;
    const text =
      error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
    if (args.includes("--json")) {
      const code = known ? error.code : "E_BUG";
      process.stdout.write(`${JSON.stringify({ reason: "error", code, message: text })}\n`);
    }
    process.stderr.write(`driver: ${text}\n`);
    process.exit(exitCodeOfError(error));
  },
);
