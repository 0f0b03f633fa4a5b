import { TaskmusterError } from "@taskmuster/kvs";
import { runDriver } from "./driver-command.js";
import { exitCodeOfError } from "./exit-codes.js";

/** The command `driver`, also known as disBatch. The only file that ends its process. */
for (const stream of [process.stdout, process.stderr]) {
  // Whoever read what we say has gone (`driver … | head`, a closed terminal): the run goes on.
  stream.on("error", () => undefined);
}

const args = process.argv.slice(2);

runDriver(args, (code) => process.exit(code)).then(
  (code) => process.exit(code),
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
