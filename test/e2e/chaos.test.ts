import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { chaos } from "../chaos/chaos.js";
import { optionsOf } from "../chaos/options.js";
import { processesIn } from "../chaos/processes.js";

/* Short ones, with another seed each time; the long ones are run by hand, see docs/reliability.md. */

const short = ["--faults", "10", "--tasks", "120", "--every", "300", "--lease", "4"];

it.concurrent.each([
  ["a store of its own", []],
  ["somebody else's store", ["--external"]],
] as const)(
  "a run with %s under faults of every kind keeps what is promised",
  async (_, store) => {
    const directory = realpathSync(mkdtempSync(join(tmpdir(), "taskmuster-chaos-")));
    const seed = `${process.pid}.${Date.now()}`;
    const options = optionsOf([...short, ...store], { seed });
    const said: string[] = [];
    const outcome = await chaos(options, directory, (text) => said.push(text));
    const told = `seed ${seed}, in ${directory}:\n${said.join("\n")}`;
    expect(outcome.faults, told).toEqual([]);
    const inflicted = [...outcome.inflicted.values()].reduce((sum, count) => sum + count, 0);
    expect(inflicted, told).toBeGreaterThan(0);
    expect(processesIn([directory])).toEqual([]);
    rmSync(directory, { recursive: true });
  },
  300_000,
);
