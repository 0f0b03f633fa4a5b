import { readFileSync, realpathSync } from "node:fs";
import { Session } from "node:inspector";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Coverage } from "./fuzzer.js";

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
}

/** One file of code: which characters count, and which of them have run. */
interface Script {
  readonly counts: Uint8Array;
  readonly ran: Uint8Array;
  /** End of each function that was heard of, by where it begins. */
  readonly functions: Map<number, number>;
}

/**
 * What V8 says of the blocks of code that ran in this thread. Looked at are our packages, in the bundle that this program is, and
 * msgpackr, which reads what comes from outside.
 */
export class BlockCoverage implements Coverage {
  readonly #session = new Session();
  readonly #scripts = new Map<string, Script | null>();

  constructor() {
    this.#session.connect();
    this.#post("Profiler.enable");
    this.#post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  }

  news(keep: boolean): number {
    const { result } = this.#post("Profiler.takePreciseCoverage") as { result: ScriptCoverage[] };
    let found = 0;
    for (const { url, functions } of result) {
      const script = this.#script(url);
      if (script === null) continue;
      for (const { ranges } of functions) {
        const [whole] = ranges;
        if (whole !== undefined) script.functions.set(whole.startOffset, whole.endOffset);
      }
      for (const { ranges } of functions) found += newIn(script, ranges, keep);
    }
    return found;
  }

  #script(url: string): Script | null {
    let script = this.#scripts.get(url);
    if (script === undefined) {
      script = scriptOf(url);
      this.#scripts.set(url, script);
    }
    return script;
  }

  #post(method: string, params: object = {}): unknown {
    let answer: unknown;
    // Within one thread it answers at once.
    this.#session.post(method, params, (error: Error | null, result?: object) => {
      if (error !== null) throw error;
      answer = result;
    });
    return answer;
  }
}

/** Ranges of one function: the first is all of it, those in it that did not run have the count 0, the innermost last. */
function newIn({ counts, ran, functions }: Script, ranges: readonly Range[], keep: boolean): number {
  const [whole] = ranges;
  if (whole === undefined || whole.count === 0) return 0;
  const { startOffset, endOffset } = whole;
  const runs = new Uint8Array(endOffset - startOffset);
  for (const range of ranges)
    runs.fill(range.count === 0 ? 0 : 1, range.startOffset - startOffset, range.endOffset - startOffset);
  let found = 0;
  for (let at = startOffset; at < endOffset; at++) {
    // Functions within it tell for themselves.
    const inner = at === startOffset ? undefined : functions.get(at);
    if (inner !== undefined && inner < endOffset) {
      at = inner - 1;
      continue;
    }
    if (runs[at - startOffset] === 0 || counts[at] === 0 || ran[at] === 1) continue;
    found++;
    if (keep) ran[at] = 1;
  }
  return found;
}

function scriptOf(url: string): Script | null {
  if (!url.startsWith("file:")) return null;
  const isBundle = url === ownUrl();
  if (!isBundle && !url.includes("/node_modules/msgpackr/")) return null;
  const text = readFileSync(fileURLToPath(url), "utf8");
  const counts = new Uint8Array(text.length).fill(isBundle ? 0 : 1);
  if (isBundle) {
    // The bundler names each file before its text.
    const files = [...text.matchAll(/^\/\/ (\S+)$/gm)];
    for (const [index, { 1: name = "", index: from }] of files.entries()) {
      if (/(^|\/)(packages\/|test\/fuzz\/planted\.ts$)/.test(name))
        counts.fill(1, from, files[index + 1]?.index ?? text.length);
    }
  }
  return { counts, ran: new Uint8Array(text.length), functions: new Map() };
}

/** Of the file that runs, which `import.meta.url` is not: a bundle keeps that of each source file. */
function ownUrl(): string {
  return pathToFileURL(realpathSync(process.argv[1] ?? "")).href;
}
