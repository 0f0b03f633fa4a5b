import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandSlurmHostList, mostHosts } from "../../src/core/slurm-host-list.js";

function hosts(list: string): readonly string[] | string {
  const result = expandSlurmHostList(list);
  return result.kind === "hosts" ? result.hosts : result.why;
}

describe("a Slurm host list", () => {
  // What `scontrol show hostnames` of Slurm 22.05 answers.
  it.each([
    ["login", "login"],
    ["n[1]", "n1"],
    ["n[8-11]", "n8 n9 n10 n11"],
    ["n[08-11]", "n08 n09 n10 n11"],
    ["n[1-03]", "n1 n2 n3"],
    ["n[001-3]", "n001 n002 n003"],
    ["n[1,1]", "n1 n1"],
    ["n[09-10,1-2]", "n09 n10 n1 n2"],
    ["a[1-2],b-1,c[3],,d", "a1 a2 b-1 c3 d"],
    ["a[1-2][3-4]", "a13 a14 a23 a24"],
    ["[1-3]", "1 2 3"],
    ["x1x1", "x1x1"],
    [
      "rack[0-1]node[01-03,07]",
      "rack0node01 rack0node02 rack0node03 rack0node07 rack1node01 rack1node02 rack1node03 rack1node07",
    ],
    ["worker[2080,5071-5072,5422]", "worker2080 worker5071 worker5072 worker5422"],
  ])("%s is what scontrol makes of it", (list, expected) => {
    expect(hosts(list)).toEqual(expected.split(" "));
  });

  it.each([
    ["a[1-2]-ib", "a1-ib a2-ib"],
    ["a[1-2]b[3-4].org,c", "a1b3.org a1b4.org a2b3.org a2b4.org c"],
    ["a[7,x[1-2]y]", "a7 ax1y ax2y"],
  ])("%s is read although Slurm 22.05 does not", (list, expected) => {
    expect(hosts(list)).toEqual(expected.split(" "));
  });

  it.each([
    ["", "it names no host"],
    [",,", "it names no host"],
    ["n[]", 'n[]": "" is not a range of numbers'],
    ["n[3-1]", '"3-1" is not a range of numbers'],
    ["n[a-b]", '"a-b" is not a range of numbers'],
    ["n[ 1-2 ]", '" 1-2 " is not a range of numbers'],
    ["n[1-2", 'a "[" is not closed'],
    ["n1]", 'there is a "]" too many at character 3'],
    ["a b", '"a b" is not part of a host name'],
    ["$(id)", '"$(id)" is not part of a host name'],
    ["-oProxyCommand=x", "is not part of a host name"],
    ["-w", '"-w" is not a host name'],
    ["n[1-1000000]", `more than ${mostHosts} hosts`],
    ["n[1-300][1-300]", `more than ${mostHosts} hosts`],
    ["n[0-40000],m[0-40000]", `more than ${mostHosts} hosts`],
    ["n[1-9999999999999999999]", "is not a range of numbers"],
  ])("%j is refused, and it is said why", (list, why) => {
    expect(hosts(list)).toContain(why);
  });

  it("that is long is not shown whole", () => {
    expect(hosts(`n[${"1,".repeat(1000)}x]`)).toHaveLength('"": "x" is not a range of numbers'.length + 80);
  });

  const word = fc.stringMatching(/^[a-z][a-z0-9.-]{0,6}$/);
  const range = fc
    .tuple(fc.nat(999), fc.nat(20), fc.integer({ min: 1, max: 5 }))
    .map(([low, more, width]) => ({ low, high: low + more, width }));
  const dimension = fc.array(range, { minLength: 1, maxLength: 3 });
  const item = fc.record({ word, dimensions: fc.array(fc.tuple(dimension, word), { maxLength: 2 }) });

  it("stands for the product of its dimensions, padded, in order", () => {
    fc.assert(
      fc.property(fc.array(item, { minLength: 1, maxLength: 4 }), (items) => {
        const padded = (value: number, width: number) => String(value).padStart(width, "0");
        const list = items
          .map(({ word: first, dimensions }) =>
            dimensions.reduce(
              (text, [ranges, after]) =>
                `${text}[${ranges.map(({ low, high, width }) => `${padded(low, width)}-${high}`).join(",")}]${after}`,
              first,
            ),
          )
          .join(",");
        const expected = items.flatMap(({ word: first, dimensions }) =>
          dimensions.reduce<string[]>(
            (names, [ranges, after]) =>
              names.flatMap((name) =>
                ranges.flatMap(({ low, high, width }) => {
                  const values: string[] = [];
                  for (let value = low; value <= high; value++)
                    values.push(`${name}${padded(value, Math.max(width, String(low).length))}${after}`);
                  return values;
                }),
              ),
            [first],
          ),
        );
        expect(hosts(list)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it("never throws, and never names what could be taken for an option or needs quoting", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-c0-3[\],\- $-]{0,24}$/), (list) => {
        const result = expandSlurmHostList(list);
        if (result.kind === "hosts") {
          expect(result.hosts.length).toBeLessThanOrEqual(mostHosts);
          for (const host of result.hosts) expect(host).toMatch(/^[A-Za-z0-9_.][A-Za-z0-9_.-]*$/);
        } else expect(result.why).not.toBe("");
      }),
      { numRuns: 2000 },
    );
  });
});
