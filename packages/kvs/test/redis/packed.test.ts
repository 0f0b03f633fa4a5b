import { KvsError, MalformedMessageError } from "@taskmuster/kvs";
import {
  ByteWriter,
  type NeedsKey,
  type QueuedTask,
  attempt,
  engineId,
  needsKey,
  taskId,
} from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestServer, testServers } from "../test-server.js";
import {
  packTasks,
  parseReportsElement,
  parseTaskElement,
  reportsElement,
  taskElement,
} from "../../src/redis/element.js";
import { packElements, unpackElements } from "../../src/redis/packed.js";

function pack(strings: readonly Uint8Array[]): Buffer {
  return packElements(new ByteWriter(0), strings, (writer, bytes) => writer.bytes(bytes));
}

const strings = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });

describe("elements packed into one", () => {
  it("come out as they went in", () => {
    fc.assert(
      fc.property(strings, (all) => {
        expect(unpackElements(pack(all))).toEqual(all.map((bytes) => Buffer.from(bytes)));
      }),
    );
    expect(unpackElements(Buffer.alloc(0))).toEqual([]);
  });

  it("are refused when they are cut short, or something else", () => {
    const good = pack([Buffer.from("a"), Buffer.alloc(40)]);
    for (let length = 1; length < good.length; length++)
      expect(() => unpackElements(good.subarray(0, length))).toThrow(MalformedMessageError);
    for (const bytes of [[0x01], [0xc0], [0x91, 0x01], [0x81, 0xa1, 0x61, 0x01]])
      expect(() => unpackElements(Buffer.from(bytes))).toThrow(MalformedMessageError);
  });

  it("can stand one behind the other in one writer", () => {
    const writer = new ByteWriter(0);
    const each = (to: ByteWriter, text: string): void => to.text(text);
    const first = packElements(writer, ["a", "b"], each);
    const second = packElements(writer, ["c".repeat(500)], each);
    expect([...unpackElements(first), ...unpackElements(second)].map(String)).toEqual([
      "a",
      "b",
      "c".repeat(500),
    ]);
  });
});

for (const { name, binary } of testServers()) {
  if (binary === undefined) continue;
  describe(`the scripts' cmsgpack on ${name}`, () => {
    let server: TestServer;
    let client: Redis;
    beforeAll(async () => {
      server = await TestServer.start(binary);
      client = new Redis({ path: server.socket, protocol: 2 });
    });
    afterAll(async () => {
      client.disconnect();
      await server.stop();
    });

    /** Unpacked and packed again by the server. */
    async function through(packed: Buffer): Promise<Buffer[]> {
      const script = "return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))";
      const reply = await client.callBuffer("EVAL", script, 0, packed);
      if (!Buffer.isBuffer(reply)) throw new Error("no bytes");
      return unpackElements(reply);
    }

    it("reads what we pack and packs what we read, of every length that is written in another way", async () => {
      for (const length of [1, 31, 32, 255, 256, 65_535, 65_536, 300_000]) {
        const element = Buffer.alloc(length, length % 251);
        expect(await through(pack([element]))).toEqual([element]);
      }
      for (const count of [1, 15, 16, 65_535, 65_536]) {
        const elements = await through(pack(Array.from({ length: count }, () => Buffer.from("x"))));
        expect(elements).toHaveLength(count);
      }
    });
  });
}

describe("the element of a task", () => {
  const task = fc.record({
    id: fc.nat().map(taskId),
    attempt: fc.integer({ min: 1, max: 9 }).map(attempt),
    needs: fc.constantFrom<NeedsKey>(needsKey({ cores: 1 }), needsKey({ cores: 0.5 })),
    body: fc.uint8Array({ maxLength: 30 }).map((bytes): Uint8Array => Buffer.from(bytes)),
  });

  it("comes out as it went in, alone or packed", () => {
    fc.assert(
      fc.property(fc.array(task), (tasks: QueuedTask[]) => {
        expect(tasks.map((each) => parseTaskElement(taskElement(each)))).toEqual(tasks);
        expect(unpackElements(packTasks(tasks)).map(parseTaskElement)).toEqual(tasks);
      }),
    );
  });

  it.each([[""], ["c1"], ["c1 "], ["c1 1:"], ["c1 x:1:"], ["c1 1:x:"], ["1:1:body"], [" 1:1:"]])(
    "is refused when it is %j",
    (text) => {
      expect(() => parseTaskElement(Buffer.from(text))).toThrow(MalformedMessageError);
    },
  );
});

describe("the element of an exchange's reports", () => {
  const engine = engineId("engine01");
  const numbered = (bodies: readonly Uint8Array[], first: number) =>
    bodies.map((body, index) => ({ number: first + index, ends: null, body }));

  it("comes out as it went in", () => {
    const bodies = fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1 });
    fc.assert(
      fc.property(bodies, fc.integer({ min: 1, max: 1e9 }), (all, first) => {
        const element = reportsElement(engine, numbered(all, first));
        expect(parseReportsElement(element)).toEqual(
          all.map((body, index) => ({ engine, number: first + index, body: Buffer.from(body) })),
        );
      }),
    );
  });

  it("has no gaps", () => {
    const [one, two] = numbered([Buffer.from("a"), Buffer.from("b")], 1);
    if (one === undefined || two === undefined) throw new Error("no reports");
    expect(() => reportsElement(engine, [one, { ...two, number: 3 }])).toThrow(KvsError);
  });

  it("is refused when it is cut short, or has no header", () => {
    const good = reportsElement(engine, numbered([Buffer.from("a"), Buffer.from("b")], 1));
    for (let length = 0; length < good.length; length++)
      expect(() => parseReportsElement(good.subarray(0, length))).toThrow(MalformedMessageError);
    expect(() => parseReportsElement(Buffer.from("engine01:x:1:"))).toThrow(MalformedMessageError);
  });
});
