import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OutputDigest, emptyDigest, lastWordsBytes } from "../../src/core/output-digest.js";

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

function snippetOf(whole: string): string {
  const digest = new OutputDigest(lastWordsBytes);
  digest.add(bytesOf(whole));
  return textOf(digest.digest.snippet);
}

describe("the digest of a stream", () => {
  it("is empty for a stream on which nothing was written", () => {
    expect(new OutputDigest(40).digest).toEqual(emptyDigest);
    expect(new OutputDigest(40).last).toHaveLength(0);
  });

  it("shows up to 40 bytes as they are", () => {
    expect(snippetOf("x".repeat(40))).toBe("x".repeat(40));
  });

  it("has dots from 41 bytes on, also when nothing was left out", () => {
    expect(snippetOf(`${"0".repeat(44)}7`)).toBe("0".repeat(40) + "...00007");
    expect(snippetOf("a".repeat(40) + "b".repeat(40))).toBe("a".repeat(40) + "..." + "b".repeat(40));
    expect(snippetOf("a".repeat(40) + "gone" + "b".repeat(40))).toBe("a".repeat(40) + "..." + "b".repeat(40));
  });

  it("does not depend on how the stream was cut into chunks", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 600 }), { maxLength: 12 }),
        fc.integer({ min: 40, max: 400 }),
        (chunks, keep) => {
          const whole = Buffer.concat(chunks);
          const digest = new OutputDigest(keep);
          const chunk = Buffer.alloc(600);
          for (const next of chunks) {
            // The same memory each time: the digest must have copied.
            chunk.set(next);
            digest.add(chunk.subarray(0, next.length));
          }
          expect(Buffer.from(digest.last)).toEqual(whole.subarray(Math.max(0, whole.length - keep)));
          expect(digest.digest.bytes).toBe(whole.length);
          const rest = Math.min(40, Math.max(0, whole.length - 40));
          const expected = [
            ...whole.subarray(0, 40),
            ...(rest > 0 ? bytesOf("...") : []),
            ...whole.subarray(whole.length - rest),
          ];
          expect([...digest.digest.snippet]).toEqual(expected);
        },
      ),
    );
  });
});
