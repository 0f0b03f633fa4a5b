import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { type ControlLine, readEngineInput } from "../src/engine-input.js";
import { until } from "./launcher/rig.js";

function opened() {
  const stream = new PassThrough();
  const orders: ControlLine[] = [];
  return { stream, orders, input: readEngineInput(stream, (order) => orders.push(order)) };
}

describe("an engine's input", () => {
  it("is a configuration, and orders after it", async () => {
    const { stream, orders, input } = opened();
    stream.write('{"a":1}\nstop\nki');
    expect(await input.config).toBe('{"a":1}');
    stream.write("ll\ndance now\n\nstop \n");
    await until("all of them", () => orders.length === 5);
    expect(orders).toEqual([
      { kind: "stop" },
      { kind: "kill" },
      { kind: "unknown", line: "dance now" },
      { kind: "unknown", line: "" },
      { kind: "stop" },
    ]);
  });

  it("ends when whoever started us is gone", async () => {
    const { stream, input } = opened();
    stream.write("config\n");
    await input.config;
    stream.end();
    await input.ended;
  });

  it("has an empty configuration when it ends without one", async () => {
    const { stream, input } = opened();
    stream.end();
    expect(await input.config).toBe("");
  });
});
