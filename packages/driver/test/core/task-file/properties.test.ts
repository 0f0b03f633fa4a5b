import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TaskFileParser, TaskFileScanner } from "../../../src/core/task-file/index.js";
import { anyCuts, anyList, inChunks } from "./list-arbitrary.js";
import { readItems, readyItems } from "./read-items.js";

const runs = { numRuns: 3000 };

describe("any task file", () => {
  it("gives contiguous ids from 0 to its tasks and barriers", () => {
    fc.assert(
      fc.property(anyList, fc.boolean(), (list, lenient) => {
        const ids = readItems(list, lenient).flatMap((item) =>
          item.kind === "task" || item.kind === "barrier" ? [item.id] : [],
        );
        expect(ids).toEqual(ids.map((_, index) => index));
      }),
      runs,
    );
  });

  it("gives the same items however it is cut into chunks", () => {
    fc.assert(
      fc.property(anyList, fc.boolean(), anyCuts, (list, lenient, cuts) => {
        expect(readItems(list, lenient, inChunks(list, cuts))).toEqual(readItems(list, lenient));
      }),
      runs,
    );
  });

  it("gives the same items when all chunks are fed before any is read", () => {
    fc.assert(
      fc.property(anyList, anyCuts, (list, cuts) => {
        const parser = new TaskFileParser({ lenient: true });
        for (const chunk of inChunks(list, cuts)) parser.feed(chunk);
        parser.end();
        expect(readyItems(parser)).toEqual(readItems(list, true));
      }),
    );
  });

  it("is counted by the scanner as the parser reads it, up to the same error", () => {
    fc.assert(
      fc.property(anyList, fc.boolean(), anyCuts, (list, lenient, cuts) => {
        const scanner = new TaskFileScanner({ lenient });
        for (const chunk of inChunks(list, cuts)) scanner.feed(chunk);
        const scan = scanner.end();
        const items = readItems(list, lenient);
        const count = (kind: string): number => items.filter((item) => item.kind === kind).length;
        expect({ tasks: scan.tasks, barriers: scan.barriers }).toEqual({
          tasks: count("task"),
          barriers: count("barrier"),
        });
        const error = items.find((item) => item.kind === "error");
        expect(scan.error && { kind: "error", ...scan.error }).toEqual(error ?? null);
        expect(scan.crlf).toBe(
          items.some((item) => item.kind === "notice" && item.message.includes("CR LF")),
        );
      }),
      runs,
    );
  });

  it("has nothing after an error, and only errors at an end that is no list's end", () => {
    fc.assert(
      fc.property(anyList, (list) => {
        const items = readItems(list);
        const error = items.findIndex((item) => item.kind === "error");
        expect(error === -1 || error === items.length - 1).toBe(true);
      }),
    );
  });

  it("never has two line numbers out of order, nor one beyond its lines", () => {
    fc.assert(
      fc.property(anyList, (list) => {
        const lines = readItems(list, true).map((item) => item.line);
        const lineFeeds = list.filter((byte) => byte === 0x0a).length;
        expect(lines).toEqual(lines.toSorted((one, other) => one - other));
        for (const line of lines) expect(line).toBeLessThanOrEqual(lineFeeds + 1);
      }),
    );
  });
});
