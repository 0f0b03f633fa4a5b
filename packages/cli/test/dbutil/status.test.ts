import { encodeEngineInfo, protocolVersion } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { statusJson, statusText } from "../../src/dbutil/status.js";
import { SnapshotReader } from "../../src/monitor/model/look.js";
import { context, engine, snapshot } from "../monitor/fixture.js";

describe("what people are shown of a run in which some cannot be understood", () => {
  const info = { host: "other", pid: 7, slots: 3, cores: 3, endsAt: null };
  const otherVersion = encodeEngineInfo({
    version: (protocolVersion + 1) as typeof protocolVersion,
    ...info,
  });
  const odd = { ...engine({ rank: 1, context: "SSH0" }), info: otherVersion, stats: Buffer.from("?") };
  const oddContext = { ...context({ label: "SSH1", rank: 1 }), info: Buffer.from([0xc1]) };
  const seen = snapshot(
    { done: 3 },
    [context({ label: "SSH0" }), oddContext],
    [engine({ rank: 0, context: "SSH0", host: "good", slots: 4, busy: 2 }), odd],
  );

  it("dbutil status shows the others", () => {
    const text = statusText("/p", seen);
    expect(text).toContain("engines  2, with 4 slots");
    expect(text).toContain("engine   0 SSH0 good: 4 slots, 2 busy");
    expect(text).toContain("engine   1 SSH0 (not understood): 0 slots, starting");
    expect(text).toContain("context  SSH1 (local, from (not understood))");
    expect(statusJson("/p", seen)).toMatchObject({
      engines: [{ host: "good" }, { host: "(not understood)", stats: null }],
    });
  });

  it("dbutil status says that the driver is dead, and what to do", () => {
    expect(statusText("/p", seen)).not.toContain("dead");
    expect(statusText("/p", seen, "driver --recover /p")).toMatch(
      /^driver {3}.*: it is dead\. To go on: driver --recover \/p$/m,
    );
  });

  it("the monitor shows the others", () => {
    const look = new SnapshotReader().read(seen);
    expect(look?.engines.map((each) => each.info.host)).toEqual(["good", "(not understood)"]);
    expect(look?.contexts.map((each) => each.info.host)).toEqual(["login1", "(not understood)"]);
  });

  it("a driver of another version is said to be one", () => {
    const state = Buffer.from([0x80]);
    expect(() => statusText("/p", { ...seen, state })).toThrow("malformed run state: version");
    expect(() => new SnapshotReader().read({ ...seen, state })).toThrow("malformed run state: version");
  });
});
