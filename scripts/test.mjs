// npm test [-- VITEST ARGUMENTS]: sets up what is missing, then runs the tests.
import path from "node:path";
import { mustRun, runCommand } from "./setup/command.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ensureRedis } from "./setup/redis.mjs";
import { root } from "./setup/root.mjs";
import { run, step } from "./setup/screen.mjs";

await run(async () => {
  await ensureDependencies();
  await mustRun(process.execPath, [path.join(root, "scripts", "build.mjs")], { cwd: root });
  await ensureRedis();
  step("Running the tests");
  const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
  process.exitCode = await runCommand(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
    cwd: root,
  });
});
