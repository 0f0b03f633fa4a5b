import { runContext } from "./context-command.js";
import { runProgram } from "./main-program.js";

// Node would open a debugger on USR1 and die of USR2; a scheduler may send them at any time.
for (const signal of ["SIGUSR1", "SIGUSR2"] as const) process.on(signal, () => undefined);

/** What `dbUtil.sh` runs to add a context. */
runProgram("dbUtil.sh", () => runContext(process.argv.slice(2)));
