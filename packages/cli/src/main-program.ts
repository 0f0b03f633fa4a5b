import { TaskmusterError } from "@taskmuster/kvs";
import { exitCodeOfError } from "./exit-codes.js";

/** Runs a small program to its exit status, and says on standard error what was wrong. */
export function runProgram(name: string, run: () => Promise<number>): void {
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  run().then(
    (code) => process.exit(code),
    (error: unknown) => {
      const known = error instanceof TaskmusterError;
      const text =
        error instanceof Error ? (known ? error.message : (error.stack ?? error.message)) : String(error);
      process.stderr.write(`${name}: ${text}\n`);
      process.exit(exitCodeOfError(error));
    },
  );
}
