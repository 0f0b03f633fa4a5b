import { parseKeeperArguments, runKeeper } from "./run-keeper.js";

await runKeeper(parseKeeperArguments(process.argv.slice(2)));
