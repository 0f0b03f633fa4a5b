import { describe, expect, it } from "vitest";
import { parseEngineConfig } from "../src/engine-config.js";
import { config as begun } from "./context/rig.js";

const config = {
  ...begun("SSH0", "0123456789abcdef"),
  address: { addresses: ["unix:///tmp/s"], password: "secret", private: true },
  envResources: ["CUDA_VISIBLE_DEVICES"],
  livenessFd: 3,
};

describe("parseEngineConfig", () => {
  it("reads what a context writes", () => {
    expect(parseEngineConfig(JSON.stringify(config))).toEqual(config);
  });

  it("says of input that is no JSON that an engine is not started by hand", () => {
    expect(() => parseEngineConfig("hello")).toThrow("an engine is started by a driver, not by hand");
  });

  it("names what is wrong, and never the secret", () => {
    for (const wrong of [
      { slots: 0 },
      { slots: "4" },
      { slots: 100_001 },
      { coresPerTask: -1 },
      { launcher: "magic" },
      { address: { ...config.address, private: 1 } },
    ]) {
      const line = JSON.stringify({ ...config, ...wrong });
      expect(() => parseEngineConfig(line)).toThrow(`bad engine configuration: ${Object.keys(wrong)[0]}`);
      expect(() => parseEngineConfig(line)).not.toThrow("secret");
    }
  });
});
