import { ByteWriter } from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

function written(write: (writer: ByteWriter) => void, expected = 0): Buffer {
  const writer = new ByteWriter(expected);
  write(writer);
  return writer.written;
}

describe("ByteWriter", () => {
  it("writes whole numbers as text has them", () => {
    const numbers = [0, -0, 1, -1, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER];
    for (const number of numbers)
      expect(written((writer) => writer.int(number)).toString()).toBe(String(number));
    fc.assert(
      fc.property(fc.maxSafeInteger(), (number) => {
        expect(written((writer) => writer.int(number)).toString()).toBe(String(number));
      }),
    );
  });

  it("writes the last digits of a number", () => {
    expect(written((writer) => writer.digits(7, 3)).toString()).toBe("007");
    expect(written((writer) => writer.digits(123_456, 2)).toString()).toBe("56");
  });

  it("writes text as UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(written((writer) => writer.text(text))).toEqual(Buffer.from(text));
      }),
    );
  });

  it("grows as it must, and keeps what was there", () => {
    const parts = fc.array(
      fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.string({ unit: "grapheme" }), fc.nat(255)),
    );
    fc.assert(
      fc.property(parts, fc.nat(50), (all, expected) => {
        const bytes = written((writer) => {
          for (const part of all) {
            if (typeof part === "number") writer.byte(part);
            else if (typeof part === "string") writer.text(part);
            else writer.bytes(part);
          }
        }, expected);
        const wanted = all.map((part) => (typeof part === "number" ? Buffer.of(part) : Buffer.from(part)));
        expect(bytes).toEqual(Buffer.concat(wanted));
      }),
    );
  });

  it("puts four bytes where others were, most significant first", () => {
    const bytes = written((writer) => {
      writer.uint32(0);
      writer.text("x");
      writer.uint32(0xfe_dc_ba_98);
      writer.setUint32(0, writer.length);
    });
    expect([bytes.readUInt32BE(0), bytes.toString("latin1", 4, 5), bytes.readUInt32BE(5)]).toEqual([
      9,
      "x",
      0xfe_dc_ba_98,
    ]);
  });

  it("begins anew", () => {
    const writer = new ByteWriter(4);
    writer.text("before");
    writer.clear();
    expect(writer.length).toBe(0);
    writer.text("after");
    expect(writer.written.toString()).toBe("after");
  });
});
