import { describe, expect, it } from "vitest";
import { endTimeOf } from "../../src/core/slurm-end-time.js";

const shown = (end: string): string =>
  `JobId=7 JobName=x\n   RunTime=00:00:01 TimeLimit=01:00:00\n   StartTime=2026-11-21T02:17:42 EndTime=${end} Deadline=N/A\n`;

describe("endTimeOf", () => {
  it("takes the time that scontrol shows as local", () => {
    const at = new Date(2026, 10, 21, 3, 17, 42);
    expect(endTimeOf(shown("2026-11-21T03:17:42"))).toBe(at.getTime() / 1000);
  });

  it("knows that there may be none", () => {
    for (const end of ["Unknown", "N/A", "", "2026-99-99T03:17:42"]) expect(endTimeOf(shown(end))).toBeNull();
    expect(endTimeOf("")).toBeNull();
  });
});
