import { TaskmusterError } from "@taskmuster/kvs";
import { runDbutil } from "./dbutil-command.js";
import { exitCodeOfError } from "./exit-codes.js";

/** The command `dbutil`. The only file that ends its process. */
process.stdout.on("error", () => undefined);

runDbutil(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const known = error instanceof TaskmusterError;
    const text =
      error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
    process.stderr.write(`dbutil: ${text}\n`);
    process.exit(exitCodeOfError(error));
  },
);
