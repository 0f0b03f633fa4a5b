import { runDbutil } from "./dbutil-command.js";
import { runProgram } from "./main-program.js";

/** The command `dbutil`. */
runProgram("dbutil", () => runDbutil(process.argv.slice(2)));
