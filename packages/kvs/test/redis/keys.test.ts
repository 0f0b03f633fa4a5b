import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { engineId, runId } from "@taskmuster/kvs/protocol";
import { describe, expect, it } from "vitest";
import { bellKey, metaKey, postKey, runKeyNames, runKeyPrefix } from "../../src/keys.js";
import { scripts } from "../../src/redis/scripts.js";

const run = runId("abcdefgh");

describe("the keys of a run", () => {
  it("share one hash tag and one prefix", () => {
    expect(runKeyPrefix(run)).toBe("tm:{abcdefgh}:");
    expect(metaKey(run)).toBe("tm:{abcdefgh}:meta");
    expect(bellKey(run, "driver")).toBe("tm:{abcdefgh}:bell:driver");
    expect(bellKey(run, engineId("engine01"))).toBe("tm:{abcdefgh}:bell:engine01");
    expect(postKey(run, "a key")).toBe("tm:{abcdefgh}:post:a key");
  });

  it("are exactly those that the scripts use", () => {
    const used = new Set(["meta"]);
    for (const { text } of Object.values(scripts)) {
      for (const [, name = ""] of text.matchAll(/\bP \.\. '([^']+)'/g)) used.add(name.replace(/:.*/, ""));
    }
    const listed = new Set(Object.keys(runKeyNames).map((name) => name.replace(/:.*/, "")));
    expect([...used].toSorted()).toEqual([...listed].toSorted());
  });
});

describe("the scripts", () => {
  it("use no clock and no randomness of their own", () => {
    for (const { text } of Object.values(scripts)) {
      expect(text).not.toMatch(/'(TIME|RANDOMKEY|SPOP|SRANDMEMBER|HRANDFIELD)'|math\.random|os\./i);
    }
  });

  it("never look through other people's keys", () => {
    for (const { text } of Object.values(scripts)) expect(text).not.toMatch(/'(KEYS|SCAN|FLUSH\w*)'/i);
  });

  it("are all in use", () => {
    const directory = fileURLToPath(new URL("../../src/redis/scripts", import.meta.url));
    const files = readdirSync(directory).filter((name) => name.endsWith(".lua"));
    expect(files.map((name) => name.replace(".lua", "")).toSorted()).toEqual(Object.keys(scripts).toSorted());
    for (const name of readdirSync(`${directory}/shared`)) {
      const shared = readFileSync(`${directory}/shared/${name}`, "utf8");
      expect(Object.values(scripts).some(({ text }) => text.includes(shared))).toBe(true);
    }
  });
});
