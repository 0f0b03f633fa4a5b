import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bin, usePlace } from "./harness.js";

const place = usePlace();

describe("a driver that is short of file descriptors", () => {
  it("says what it lacks, leaves nothing behind, and signals nobody else", async () => {
    place().write("tasks", "true\ntrue\n");
    const said = new Set<string>();
    for (const most of [34, 31, 28, 25, 22]) {
      const shell = place().shell(
        `ulimit -n ${most}; '${bin}' -q -s localhost:1 -p run${most} tasks; echo "status $?"`,
        { group: true },
      );
      const { stdout, stderr } = await shell.finished;
      // The shell is in the group of the driver.
      expect(stdout).toMatch(/^status [01]\n$/m);
      if (stdout.endsWith("status 1\n")) {
        // Or the engine did not get as far.
        expect(stderr).toMatch(/^driver: (?:cannot .*: too many open files.*\n$|No engine is left)/);
        said.add(stderr);
      }
      expect(place().processes()).toEqual([]);
      expect(readdirSync(place().tmp)).toEqual([]);
    }
    // Node itself needs about twenty: one of these is what there is none left for.
    expect([...said].some((words) => /cannot start \S+: .*ulimit -n/.test(words))).toBe(true);
  });
});
