import { describe, expect, it } from "vitest";
import { planSsh } from "../../src/core/ssh-plans.js";

const wishes = { cpusPerTask: null, tasksPerNode: null };

function planned(
  hosts: Readonly<Record<string, number>>,
  given: Partial<typeof wishes | { cpusPerTask: number; tasksPerNode: number }> = {},
) {
  const list = Object.entries(hosts).map(([host, cores]) => ({ host, cores }));
  return planSsh(list, { ...wishes, ...given }, "vm");
}

describe("what runs on the hosts of an ssh list", () => {
  it("is a task for each core, or as -c and -t say", () => {
    expect(planned({ a: 4, b: 3 })).toEqual({
      kind: "plans",
      plans: [
        { host: "a", cores: 4, slots: 4, coresPerTask: 1 },
        { host: "b", cores: 3, slots: 3, coresPerTask: 1 },
      ],
    });
    expect(planned({ a: 5 }, { cpusPerTask: 2 })).toMatchObject({ plans: [{ slots: 2, coresPerTask: 2 }] });
    expect(planned({ a: 1 }, { cpusPerTask: 0.5 })).toMatchObject({ plans: [{ slots: 2, coresPerTask: 0 }] });
    expect(planned({ a: 7 }, { tasksPerNode: 2 })).toMatchObject({ plans: [{ slots: 2, coresPerTask: 3 }] });
  });

  it("counts this host once, whatever it is called", () => {
    expect(planned({ localhost: 2, a: 1, "vm.example.org": 3 })).toMatchObject({
      plans: [{ host: "vm", cores: 5 }, { host: "a" }],
    });
    expect(planned({ "vm.example.org": 3, localhost: 2, "bob@vm": 1 })).toMatchObject({
      plans: [
        { host: "vm.example.org", cores: 5 },
        { host: "bob@vm", cores: 1 },
      ],
    });
  });

  it("is refused when a host has no room for one task, and such hosts are named", () => {
    expect(planned({ a: 4, b: 1, c: 2 }, { cpusPerTask: 3 })).toEqual({
      kind: "bad",
      why: "not one task of 3 cores fits: b has 1, c has 2",
    });
    const many = Object.fromEntries(Array.from({ length: 8 }, (_, index) => [`h${index}`, 1]));
    expect(planned(many, { cpusPerTask: 2 })).toMatchObject({
      why: expect.stringMatching(/h4 has 1 and 3 more$/),
    });
  });
});
