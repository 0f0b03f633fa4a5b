import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { MalformedMessageError } from "@taskmuster/kvs";
import { type Report, decodeReport, encodeReport } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { parseStatus } from "../../../packages/cli/src/embedding/driver-lines.js";
import { readRunEnd } from "../../../packages/cli/src/monitor/run-end.js";
import { allocationEndsAt } from "../../../packages/engine/src/core/allocation-end.js";
import { parseCpuList } from "../../../packages/engine/src/core/cpu-list.js";
import { expandSlurmHostList } from "../../../packages/engine/src/core/slurm-host-list.js";
import { parseReportsElement, parseTaskElement } from "../../../packages/kvs/src/redis/element.js";
import { reports } from "../targets/samples.js";

/* Found by the fuzzer, and mended. */

describe("a Slurm host list", () => {
  it.each([
    ["a name that needs quoting, inside of brackets", "n[$(id)[1]]"],
    ["what looks like an option, behind what does not", "[1,-o[2]]"],
    ["brackets in brackets, deeper than the stack", `n${"[1,".repeat(20_000)}`],
    ["brackets in a row, each of which costs as much as all hosts", `n[1-65536]${"[1]".repeat(20_000)}`],
    ["a name longer than any", `n${"x".repeat(300)}`],
  ])("with %s is refused, and it is said why in few words", (_, list) => {
    const expansion = expandSlurmHostList(list);
    expect(expansion.kind).toBe("bad");
    expect(expansion.kind === "bad" ? expansion.why.length : 0).toBeLessThan(300);
  });

  it("that is not a range of numbers is not repeated whole", () => {
    const expansion = expandSlurmHostList(`n[${"9".repeat(20_000)}]`);
    expect(expansion.kind === "bad" ? expansion.why.length : 0).toBeLessThan(300);
  });
});

describe("numbers of the system", () => {
  it("an allocation does not end at a time that no message can carry", () => {
    expect(allocationEndsAt("9".repeat(400), 0)).toBeNull();
  });

  it("a list of CPUs is not longer than any machine has", () => {
    expect(parseCpuList("0-99999,".repeat(2_000).slice(0, -1))).toEqual([]);
  });
});

describe("what a program that embeds a run reads", () => {
  it.each(["{", "nonsense", '{"TaskId":1e999,"ReturnCode":0}'])("is no status, and no error: %j", (text) => {
    expect(parseStatus(text)).toBeNull();
  });
});

describe("the end of a ledger", () => {
  it.each(["1e999", "-1", "0.5"])("does not tell of %s tasks", async (done) => {
    const directory = await mkdtemp(path.join(tmpdir(), "taskmuster-fuzz-"));
    try {
      const prefix = path.join(directory, "run");
      await writeFile(`${prefix}_ledger`, `{"kind":"end","at":"","reason":"finished","done":${done}}\n`);
      expect(await readRunEnd(prefix)).toEqual({ reason: "finished", done: null });
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe("the store's answers", () => {
  it.each([":1:1:\0\0\0\0", "abcdefgh:1::", "abcdefgh:0x1:1:\0\0\0\0", "abcdefgh:-2:1:\0\0\0\0", "::"])(
    "reports without engine or numbers are malformed: %j",
    (element) => {
      expect(() => parseReportsElement(Buffer.from(element))).toThrow(MalformedMessageError);
    },
  );

  it.each(["c1 x:1:", "c1 :1:", "c1 7::", "c1 -1:1:", "c1 0.5:1:", "7:1:", "c1"])(
    "an element of a queue without needs or numbers is malformed: %j",
    (element) => {
      expect(() => parseTaskElement(Buffer.from(element))).toThrow(MalformedMessageError);
    },
  );
});

describe("a report", () => {
  const [report] = reports as [Report, ...Report[]];

  it.each([
    ["start", Number.NaN],
    ["end", Number.POSITIVE_INFINITY],
    ["elapsed", Number.NEGATIVE_INFINITY],
  ])("whose %s is %s is malformed", (field, value) => {
    expect(() => decodeReport(encodeReport({ ...report, [field]: value }))).toThrow(MalformedMessageError);
  });
});
