// npm start: from a bare clone to a run of the example, setting up on the way whatever is missing. Only Node's own modules
// are used until the packages are installed.
import { accessSync, constants, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { mustRun, runCommand } from "./setup/command.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { ensureRedis } from "./setup/redis.mjs";
import { root } from "./setup/root.mjs";
import { Refusal, run, say, step } from "./setup/screen.mjs";

const example = path.join(root, "examples", "first-run");

await run(async () => {
  await ensureDependencies();
  await mustRun(process.execPath, [path.join(root, "scripts", "build.mjs")], { cwd: root });
  await ensureRedis();

  const place = workingDirectory();
  const results = path.join(place, "results");
  mkdirSync(results, { recursive: true });
  const slots = os.availableParallelism();
  step("Running the example: its tasks draw a picture, integrate, count primes and compress, then report");
  say(`cd '${place}' && '${path.join(root, "bin", "driver")}' -s localhost:${slots} -p results tasks`);
  const driver = path.join(root, "bin", "driver");
  const code = await runCommand(driver, ["-s", `localhost:${slots}`, "-p", "results", "tasks"], {
    cwd: place,
    env: { ...process.env, TASKMUSTER_NODE: process.execPath },
  });
  if (code !== 0) throw new Refusal(`The example did not end well: driver exited with ${code}.`);

  say(`\n${readFileSync(path.join(results, "report.txt"), "utf8")}`);
  say(`picture      ${path.join(results, "mandelbrot.bmp")}`);
  for (const [what, ending] of /** @type {const} */ ([
    ["status file", "_status.txt"],
    ["driver log", "_driver.log"],
  ])) {
    // The newest: the date is in the name.
    const newest = readdirSync(results)
      .filter((name) => name.endsWith(ending))
      .toSorted()
      .at(-1);
    if (newest !== undefined) say(`${what.padEnd(12)} ${path.join(results, newest)}`);
  }
  say(`the list     ${path.join(place, "tasks")}`);
  say("your own     bin/driver -s localhost:4 TASKFILE   (bin/driver --help)");
});

/** Tasks run where the driver runs, so the example runs in its own directory, or in a copy where that is not ours to write. */
function workingDirectory() {
  try {
    accessSync(example, constants.W_OK);
    return example;
  } catch {
    const copy = path.join(mkdtempSync(path.join(os.tmpdir(), "taskmuster-example-")), "first-run");
    cpSync(example, copy, { recursive: true, filter: (file) => path.basename(file) !== "results" });
    return copy;
  }
}
