import { PassThrough } from "node:stream";
import { TaskmusterError } from "@taskmuster/kvs";
import { parseEngineConfig } from "../../../packages/engine/src/engine-config.js";
import { type ControlLine, readEngineInput } from "../../../packages/engine/src/engine-input.js";
import { config as begun } from "../../../packages/engine/test/context/rig.js";
import { type Target, must, mustEqual, unlessRefused } from "../target.js";

const config = {
  ...begun("SSH0", "0123456789abcdef"),
  address: { addresses: ["unix:///tmp/s"], username: "me", password: "secret", private: true },
  envResources: ["CUDA_VISIBLE_DEVICES"],
  mostAhead: 3,
  livenessFd: 3,
};
const line = JSON.stringify(config);
const words = ['"slots":1', '"cores":', "1e999", "[", "{", "null", '"password":', '"launcher":"noop"', "}"];

export const engineConfigs: Target = {
  name: "engine-config",
  seeds: () => [Buffer.from(line), Buffer.from(line.replace(/"username".*?,"private"/, '"private"'))],
  words,
  mostBytes: 16_384,
  check: (bytes) => {
    const read = unlessRefused(TaskmusterError, () => parseEngineConfig(bytes.toString("utf8")));
    if (read === undefined) return;
    mustEqual(parseEngineConfig(JSON.stringify(read)), read, "a configuration that was handed on");
  },
};

/** The first line of an engine's standard input, and the orders after it. */
export const engineInputs: Target = {
  name: "engine-input",
  seeds: () => [Buffer.from(`${line}\nstop\nkill\nnonsense\n`), Buffer.from("a label\n stop \r\nkill")],
  words: [...words, "stop\n", "kill\n", "\n", "\r\n"],
  mostBytes: 16_384,
  share: 0.1,
  check: async (bytes) => {
    const orders: ControlLine[] = [];
    const input = readEngineInput(from([bytes]), (order) => orders.push(order));
    const first = await input.config;
    await input.ended;
    must(!first.includes("\n"), "the configuration is one line");
    const allowed = bytes.toString("latin1").split(/[\r\n]/).length;
    must(orders.length <= allowed + 10 * bytes.length, "no more orders than lines");

    // Whatever a name or a password holds, a configuration arrives whole.
    const whole = Buffer.from(`${JSON.stringify({ ...config, context: bytes.toString("utf8") })}\n`);
    const half = Math.floor(whole.length / 2);
    const again = readEngineInput(from([whole.subarray(0, half), whole.subarray(half)]), () => undefined);
    must(`${await again.config}\n` === whole.toString(), "a configuration arrives whole");
    await again.ended;
  },
};

function from(chunks: readonly Uint8Array[]): PassThrough {
  const stream = new PassThrough();
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return stream;
}
