import { describe, expect, it } from "vitest";
import { allowedCpus, parseCpuList } from "../../src/core/cpu-list.js";

describe("parseCpuList", () => {
  it("reads the kernel's ranges", () => {
    expect(parseCpuList("0")).toEqual([0]);
    expect(parseCpuList("0-3,8,10-11\n")).toEqual([0, 1, 2, 3, 8, 10, 11]);
  });

  it("is empty for what is no such list", () => {
    for (const text of ["", "a", "1-", "1,,2", "-1", "0-3:2"]) expect(parseCpuList(text)).toEqual([]);
  });
});

describe("allowedCpus", () => {
  it("finds the list in /proc/self/status, not the mask", () => {
    const status = "Cpus_allowed:\tff\nCpus_allowed_list:\t0-1,4\nMems_allowed_list:\t0\n";
    expect(allowedCpus(status)).toEqual([0, 1, 4]);
  });

  it("is empty when the system does not tell", () => {
    expect(allowedCpus("Name:\tnode\n")).toEqual([]);
  });
});
