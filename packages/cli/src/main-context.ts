import { runContext } from "./context-command.js";
import { runProgram } from "./main-program.js";

/** What `dbUtil.sh` runs to add a context. */
runProgram("dbUtil.sh", () => runContext(process.argv.slice(2)));
