import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kinds } from "./kinds.js";
import { Rig, until } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

interface Expected {
  readonly command: string;
  readonly code: number;
  readonly outBytes: number;
  readonly errBytes: number;
  readonly out: string;
  readonly lastWords: string;
}

/** Mostly nothing; at times something to write, a failure, or far more than a pipe holds, on both streams. */
function task(index: number): Expected {
  const nothing = { code: 0, outBytes: 0, errBytes: 0, out: "", lastWords: "" };
  const word = `w${index}`;
  if (index % 400 === 7) {
    const times = 20_000 + index;
    const program = `BEGIN { for (i = 0; i < ${times}; i++) { print w; if (i % 20 == 0) print w > "/dev/stderr" } exit 3 }`;
    const [line, errLines] = [`${word}\n`, Math.ceil(times / 20)];
    const whole = line.repeat(1000);
    return {
      command: `awk -v w=${word} '${program}'`,
      code: 3,
      outBytes: times * line.length,
      errBytes: errLines * line.length,
      out: `${whole.slice(0, 40)}...${whole.slice(-40)}`,
      lastWords: whole.slice(-400),
    };
  }
  if (index % 50 === 3)
    return { ...nothing, command: `echo ${word}`, outBytes: word.length + 1, out: `${word}\n` };
  if (index % 50 === 9) {
    const lastWords = `${word}\n`;
    return {
      ...nothing,
      command: `echo ${word} >&2; exit 9`,
      code: 9,
      errBytes: lastWords.length,
      lastWords,
    };
  }
  return { ...nothing, command: "true" };
}

describe.each(kinds)("%s launcher: thousands of short tasks through eight slots", (kind) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind);
  });
  afterEach(() => rig.close());

  // The plain launcher is several times slower.
  const count = kind === "node" ? 800 : 2400;

  it("each has its own end and its own output, once", async () => {
    rig.setSlots(8);
    const tasks = Array.from({ length: count }, (_, index) => task(index));
    const tags = tasks.map(({ command }) => rig.enqueue(command));
    await until(`${count} ends`, () => rig.results.size === count);
    for (const [index, tag] of tags.entries()) {
      const result = rig.results.get(tag);
      const expected = tasks[index];
      if (result === undefined || expected === undefined) throw new Error(`no end of task ${index}`);
      expect({
        command: expected.command,
        code: result.outcome.kind === "exited" ? result.outcome.code : result.outcome,
        outBytes: result.out.bytes,
        errBytes: result.err.bytes,
        out: text(result.out.snippet),
        lastWords: text(result.lastWords),
      }).toEqual(expected);
    }
    expect([rig.recalled, rig.told.length]).toEqual([[], count]);
    expect(new Set([...rig.results.values()].map(({ pid }) => pid)).size).toBeGreaterThan(8);
  });

  it("as an engine does it, which fills the queue when ends are told, and with tasks that are stopped", async () => {
    rig.setSlots(8);
    const tags: number[] = [];
    const stopped: number[] = [];
    while (tags.length < count / 2) {
      const told = rig.results.size;
      for (let waiting = tags.length - told; waiting < 64 && tags.length < count / 2; waiting++) {
        const isLong = tags.length % 100 === 50;
        const tag = rig.enqueue(isLong ? "sleep 600 & sleep 600" : "true");
        tags.push(tag);
        if (isLong) stopped.push(tag);
      }
      // Told to stop before it has begun it is passed over: so again and again.
      await until("an end", () => {
        for (const tag of stopped) if (!rig.results.has(tag)) rig.launcher.stop(tag, 0);
        return rig.results.size > told;
      });
    }
    await until("all ends", () => {
      for (const tag of stopped) if (!rig.results.has(tag)) rig.launcher.stop(tag, 0);
      return rig.results.size === tags.length;
    });
    for (const tag of tags) {
      const isStopped = stopped.includes(tag);
      expect(rig.results.get(tag)?.stopped).toBe(isStopped);
      if (!isStopped) expect(rig.results.get(tag)?.outcome).toEqual({ kind: "exited", code: 0 });
    }
    expect(rig.recalled).toEqual([]);
  });
});
