// node scripts/run-ts.mjs FILE.ts [ARGUMENTS...]: runs a TypeScript program of this repository.
import { withBundle } from "./bundle/typescript.mjs";
import { runCommand } from "./setup/command.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { Refusal, run } from "./setup/screen.mjs";

await run(async () => {
  const [entry, ...args] = process.argv.slice(2);
  if (entry === undefined) throw new Refusal("usage: node scripts/run-ts.mjs FILE.ts [ARGUMENTS...]");
  await ensureDependencies();
  process.exitCode = await withBundle(entry, (file) =>
    runCommand(process.execPath, ["--enable-source-maps", file, ...args]),
  );
});
