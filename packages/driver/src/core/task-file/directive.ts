import { type Advice, adviceOn } from "./advice.js";
import { hasWord, hasWordInAnyCase, space } from "./ascii.js";
import { type Repeat, readRepeat } from "./repeat.js";
import { type RetriesRule, type TimeoutRule, readRetries, readTimeout } from "./rules.js";

/** What one line that begins with `#DISBATCH ` says. Byte arrays are parts of the line. */
export type Directive =
  | { readonly kind: "prefix" | "suffix"; readonly text: Uint8Array }
  | {
      readonly kind: "perEngine";
      readonly when: "start" | "stop";
      /** START and STOP stand in upper case; disBatch breaks down on anything else. */
      readonly upperCase: boolean;
      readonly command: Uint8Array;
    }
  | Repeat
  | RetriesRule
  | TimeoutRule
  | { readonly kind: "barrier"; readonly check: boolean; readonly key: string | null }
  | { readonly kind: "tooLarge" }
  | { readonly kind: "unknown"; readonly advice: Advice };

/** What every directive begins with. */
export const directiveStart = "#DISBATCH ";

/** Reads a line that begins with `directiveStart`; everything but BARRIER may be in any case. */
export function readDirective(line: Uint8Array): Directive {
  const at = directiveStart.length;
  if (hasWordInAnyCase(line, at, "PREFIX "))
    return { kind: "prefix", text: line.subarray(at + "PREFIX ".length) };
  if (hasWordInAnyCase(line, at, "SUFFIX "))
    return { kind: "suffix", text: line.subarray(at + "SUFFIX ".length) };
  if (hasWord(line, at, "BARRIER")) return readBarrier(line, at + "BARRIER".length);
  return (
    readPerEngine(line, at) ??
    readRepeatDirective(line, at) ??
    readRule(line, at) ?? { kind: "unknown", advice: adviceOn(line.subarray(at)) }
  );
}

function readPerEngine(line: Uint8Array, at: number): Directive | null {
  if (!hasWordInAnyCase(line, at, "PERENGINE ")) return null;
  const whenAt = at + "PERENGINE ".length;
  for (const [word, when] of [
    ["START ", "start"],
    ["STOP ", "stop"],
  ] as const) {
    if (!hasWordInAnyCase(line, whenAt, word)) continue;
    return {
      kind: "perEngine",
      when,
      upperCase: hasWord(line, whenAt, word),
      command: line.subarray(whenAt + word.length),
    };
  }
  return null;
}

function readRepeatDirective(line: Uint8Array, at: number): Directive | null {
  if (!hasWordInAnyCase(line, at, "REPEAT")) return null;
  const repeat = readRepeat(line, at + "REPEAT".length);
  return repeat === "tooLarge" ? { kind: "tooLarge" } : repeat;
}

/** What is longer than any of these is malformed. */
function readRule(line: Uint8Array, at: number): Directive | null {
  const rest = (word: string): string => {
    const bytes = line.subarray(at + word.length);
    return bytes.length > mostRuleBytes ? "" : String.fromCharCode(...bytes);
  };
  if (hasWordInAnyCase(line, at, "RETRIES")) return readRetries(rest("RETRIES"));
  if (hasWordInAnyCase(line, at, "TIMEOUT")) return readTimeout(rest("TIMEOUT"));
  return null;
}

const mostRuleBytes = 200;
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** What follows BARRIER or CHECK without a space between does not matter to disBatch, and so it does not here. */
function readBarrier(line: Uint8Array, from: number): Directive {
  const check = hasWord(line, from, " CHECK");
  const keyAt = check ? from + " CHECK".length : from;
  const key = line[keyAt] === space ? utf8.decode(line.subarray(keyAt + 1)) : "";
  return { kind: "barrier", check, key: key === "" ? null : key };
}
