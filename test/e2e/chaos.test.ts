import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { chaos } from "../chaos/chaos.js";
import { optionsOf } from "../chaos/options.js";
import { processesIn } from "../chaos/processes.js";

/* A short one, with another seed each time; the long ones are run by hand, see docs/reliability.md. */

it("a run under faults of every kind keeps what is promised", async () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "taskmuster-chaos-")));
  const seed = `${process.pid}.${Date.now()}`;
  const options = optionsOf(
    ["--external", "--minutes", "0.2", "--tasks", "250", "--every", "350", "--lease", "4"],
    {
      seed,
    },
  );
  const said: string[] = [];
  const outcome = await chaos(options, directory, (text) => said.push(text));
  const told = `seed ${seed}, in ${directory}:\n${said.join("\n")}`;
  expect(outcome.faults, told).toEqual([]);
  const inflicted = [...outcome.inflicted.values()].reduce((sum, count) => sum + count, 0);
  expect(inflicted, told).toBeGreaterThan(2);
  expect(processesIn([directory])).toEqual([]);
  rmSync(directory, { recursive: true });
}, 300_000);
