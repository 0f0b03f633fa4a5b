import type { StreamDigest } from "@taskmuster/kvs/protocol";

/** Bytes kept of the start of a stream, and of its end, for the snippet. */
export const snippetBytes = 40;
/** Bytes kept of the end of standard error. */
export const lastWordsBytes = 400;

const empty = new Uint8Array(0);
const dots = new Uint8Array([0x2e, 0x2e, 0x2e]);

/**
 * `head`: the first bytes (40 or all), `tail`: the last ones (40 or all, or more). The snippet is the first 40 bytes and, where there
 * are more, `...` and the last min(40, bytes - 40): dots stand there even when nothing was left out.
 */
export function streamDigest(bytes: number, head: Uint8Array, tail: Uint8Array): StreamDigest {
  if (bytes <= snippetBytes) return { bytes, snippet: head };
  const rest = Math.min(snippetBytes, bytes - snippetBytes);
  return { bytes, snippet: concat(head.subarray(0, snippetBytes), dots, tail.subarray(tail.length - rest)) };
}

/** What a task that wrote nothing, or never started, has. */
export const emptyDigest: StreamDigest = { bytes: 0, snippet: empty };

/** Counts a stream and keeps its two ends: flat memory for any length. */
export class OutputDigest {
  readonly #keep: number;
  #bytes = 0;
  #head = empty;
  #tail = empty;

  /** `keep`: bytes of the end that `last` is to answer, at least 40. */
  constructor(keep: number) {
    this.#keep = keep;
  }

  /** Copies what it keeps; `chunk` may be reused. */
  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    if (this.#head.length < snippetBytes) {
      this.#head = concat(this.#head, chunk.subarray(0, snippetBytes - this.#head.length));
    }
    const old = Math.max(0, this.#keep - chunk.length);
    this.#tail = concat(
      this.#tail.subarray(Math.max(0, this.#tail.length - old)),
      chunk.subarray(Math.max(0, chunk.length - this.#keep)),
    );
  }

  get digest(): StreamDigest {
    return streamDigest(this.#bytes, this.#head, this.#tail);
  }

  /** The last bytes, at most `keep`. */
  get last(): Uint8Array {
    return this.#tail;
  }
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
