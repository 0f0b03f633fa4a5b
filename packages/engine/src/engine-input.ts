import { createInterface } from "node:readline";

/** What may follow the configuration: orders past the store, for when that cannot be reached, or before the engine has joined. */
export type ControlLine =
  { readonly kind: "stop" } | { readonly kind: "kill" } | { readonly kind: "unknown"; readonly line: string };

export interface EngineInput {
  /** The first line; empty when the input ended without one. */
  readonly config: Promise<string>;
  /** The input has ended: whoever started us is gone. */
  readonly ended: Promise<void>;
}

/** Reads an engine's standard input. `onControl` is called for every line but the first. */
export function readEngineInput(
  input: NodeJS.ReadableStream,
  onControl: (order: ControlLine) => void,
): EngineInput {
  const lines = createInterface({ input });
  const ended = new Promise<void>((resolve) => lines.once("close", () => resolve()));
  const config = new Promise<string>((resolve) => {
    lines.once("line", (first) => {
      resolve(first);
      lines.on("line", (line) => onControl(controlLine(line)));
    });
    void ended.then(() => resolve(""));
  });
  return { config, ended };
}

function controlLine(line: string): ControlLine {
  const word = line.trim();
  return word === "stop" || word === "kill" ? { kind: word } : { kind: "unknown", line };
}
