import { MalformedMessageError } from "@taskmuster/kvs";
import {
  type Outcome,
  type Report,
  type Task,
  attempt,
  decodeReport,
  decodeTask,
  encodeReport,
  encodeTask,
  taskId,
} from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

const count = fc.maxSafeInteger().map((value) => Math.abs(value) % 1e15);
const id = count.map((value) => taskId(value));
const tries = fc.nat(0xffff).map((value) => attempt(value + 1));
const seconds = fc.double({ min: -999_999_999_999_998, max: 999_999_999_999_998, noNaN: true });
const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

const task: fc.Arbitrary<Task> = fc.record({
  id,
  attempt: tries,
  line: fc.nat(),
  repeatIndex: fc.integer({ min: -1 }),
  timeoutMs: fc.option(fc.integer({ min: 1, max: 315_360_000_000 })),
  command: bytes(200),
});

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ kind: fc.constant("exited" as const), code: fc.nat(255) }),
  fc.record({ kind: fc.constant("signalled" as const), signal: fc.integer({ min: 1, max: 64 }) }),
  fc.record({ kind: fc.constant("failedToStart" as const), errno: fc.integer() }),
  fc.record({ kind: fc.constant("timedOut" as const), signal: fc.integer({ min: 1, max: 64 }) }),
  fc.constant({ kind: "lost" as const }),
  fc.constant({ kind: "cancelled" as const }),
);
const stream = fc.record({ bytes: count, snippet: bytes(83) });

const report: fc.Arbitrary<Report> = fc.record({
  kind: fc.constantFrom("task" as const, "start" as const, "stop" as const),
  id,
  attempt: tries,
  host: fc.constantFrom("", "vm", "node-01.cluster", "knö", "ﾎｽﾄ"),
  pid: fc.integer({ min: -1 }),
  outcome,
  start: seconds,
  end: seconds,
  elapsed: seconds,
  out: stream,
  err: stream,
  lastWords: bytes(400),
});

/** At an odd place in a larger buffer, as messages come. */
function amongOthers(message: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.alloc(3, 0xff), message, Buffer.alloc(5, 0xff)]).subarray(
    3,
    3 + message.length,
  );
}

function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("latin1");
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, comparable(each)]));
}

describe("a task", () => {
  it("comes out as it went in", () => {
    fc.assert(
      fc.property(task, (given) => {
        expect(comparable(decodeTask(amongOthers(encodeTask(given))))).toEqual(comparable(given));
      }),
    );
  });

  it("is refused when it is too short, or a number is none", () => {
    const good = encodeTask({
      id: taskId(1),
      attempt: attempt(1),
      line: 2,
      repeatIndex: -1,
      timeoutMs: null,
      command: Buffer.alloc(0),
    });
    for (let length = 0; length < good.length; length++)
      expect(() => decodeTask(good.subarray(0, length))).toThrow(MalformedMessageError);
    for (const wrong of [0.5, Number.NaN, Infinity, 2 ** 60]) {
      const message = Buffer.from(good);
      message.writeDoubleBE(wrong, 0);
      expect(() => decodeTask(message)).toThrow(MalformedMessageError);
    }
  });
});

describe("a timeout", () => {
  const plain: Task = {
    id: taskId(7),
    attempt: attempt(3),
    line: 2,
    repeatIndex: -1,
    timeoutMs: null,
    command: Buffer.from("true"),
  };

  it("makes a task longer that has one, and no other", () => {
    expect(encodeTask(plain)).toHaveLength(28 + "true".length);
    expect(encodeTask({ ...plain, timeoutMs: 1500 })).toHaveLength(28 + "true".length + 8);
    expect(encodeTask(plain).readUInt32BE(24)).toBe(3);
  });

  it("is refused when it is none, or cut short", () => {
    for (const wrong of [0, -1, Number.NaN, Infinity])
      expect(() => decodeTask(encodeTask({ ...plain, timeoutMs: wrong }))).toThrow(MalformedMessageError);
    const empty = encodeTask({ ...plain, timeoutMs: 1500, command: Buffer.alloc(0) });
    for (let length = 0; length < empty.length; length++)
      expect(() => decodeTask(empty.subarray(0, length))).toThrow(MalformedMessageError);
  });
});

describe("a report", () => {
  it("comes out as it went in, whatever came before it", () => {
    fc.assert(
      fc.property(fc.array(report, { minLength: 1, maxLength: 4 }), (all) => {
        const messages = all.map((given) => amongOthers(encodeReport(given)));
        for (const [index, message] of messages.entries())
          expect(comparable(decodeReport(message))).toEqual(comparable(all[index]));
      }),
    );
  });

  it("is refused when it is shorter or longer than it says", () => {
    fc.assert(
      fc.property(report, fc.nat(1_000), (given, at) => {
        const message = encodeReport(given);
        expect(() => decodeReport(message.subarray(0, at % message.length))).toThrow(MalformedMessageError);
        expect(() => decodeReport(Buffer.concat([message, Buffer.alloc(1)]))).toThrow(MalformedMessageError);
      }),
    );
  });

  it("is refused, and nothing else, whatever bytes are damaged", () => {
    const damage = fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(report, damage, (given, changes) => {
        const message = encodeReport(given);
        for (const [at, byte] of changes) message[at % message.length] = byte;
        try {
          const decoded = decodeReport(message);
          expect(Number.isSafeInteger(decoded.id) && Number.isFinite(decoded.start)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedMessageError);
        }
      }),
    );
  });
});
