import { describe, expect, it } from "vitest";
import { Bell } from "../../src/bell.js";
import { KvsBytes } from "../../src/task-source/kvs-bytes.js";
import { ParsedSource } from "../../src/task-source/parsed-source.js";

/** A list in a store, and somebody who pushes to it. */
class Rig {
  readonly notices: string[] = [];
  vanished = 0;
  unfetched = 0;
  isGone = false;
  readonly gone: Promise<void>;
  readonly bytes: KvsBytes;
  readonly #tasks: Buffer[] = [];
  readonly #bell = new Bell();
  #vanish: () => void = () => undefined;

  constructor() {
    this.gone = new Promise((resolve) => {
      this.#vanish = resolve;
    });
    this.bytes = new KvsBytes({
      channel: {
        take: (max) => Promise.resolve(this.#tasks.splice(0, max)),
        waitForTask: () => this.#bell.wait(),
      },
      signIn: { name: "n", doneTask: Buffer.from("done!"), resultKey: "r", taskKey: "t" },
      submitter: this,
      results: { isMoreThan: (most) => Promise.resolve(this.unfetched > most) },
      mostUnfetched: 10,
      onNotice: (message) => this.notices.push(message),
      onVanished: () => this.vanished++,
    });
  }

  push(...tasks: readonly string[]): void {
    this.#tasks.push(...tasks.map((task) => Buffer.from(task, "latin1")));
    this.#bell.ring();
  }

  vanish(): void {
    this.isGone = true;
    this.#vanish();
  }

  async next(): Promise<string | null> {
    const bytes = await this.bytes.next();
    return bytes === null ? null : Buffer.from(bytes).toString("latin1");
  }
}

describe("tasks that a program pushes", () => {
  it("come as lines, as soon as they are there, up to the done task", async () => {
    const rig = new Rig();
    const waiting = rig.next();
    rig.push("one");
    expect(await waiting).toBe("one\n");
    rig.push("two", "done", "done!", "never");
    expect(await rig.next()).toBe("two\ndone\n");
    expect(await rig.next()).toBeNull();
    expect(await rig.next()).toBeNull();
  });

  it("are an empty list when the done task comes first", async () => {
    const rig = new Rig();
    rig.push("done!");
    expect(await rig.next()).toBeNull();
  });

  it("have one line number for all that was pushed at once", async () => {
    const rig = new Rig();
    rig.push("a\nb\r\nc\rd\n", "\n\n", "e\r\n", "", "f\xff", "done!");
    const source = new ParsedSource("STREAM", rig.bytes, { lenient: false });
    const items = await source.read(100);
    expect(
      items.map((item) => item.kind === "task" && [item.line, Buffer.from(item.command).toString("latin1")]),
    ).toEqual([
      [1, "a"],
      [1, "b"],
      [1, "c"],
      [1, "d"],
      [3, "e"],
      [5, "f\xff"],
    ]);
    expect(await source.read(100)).toEqual([]);
  });

  it("end where the program ends that pushes them, and all that it pushed before counts", async () => {
    const rig = new Rig();
    const waiting = rig.next();
    rig.push("one");
    rig.vanish();
    expect(await waiting).toBe("one\n");
    expect(rig.vanished).toBe(0);
    expect(await rig.next()).toBeNull();
    expect(rig.vanished).toBe(1);
  });

  it("are noticed to have ended while they are waited for", async () => {
    const rig = new Rig();
    const waiting = rig.next();
    rig.vanish();
    expect(await waiting).toBeNull();
    expect(rig.vanished).toBe(1);
  });

  it("are not taken while too many results wait to be fetched", async () => {
    const rig = new Rig();
    rig.unfetched = 11;
    rig.push("one");
    let taken = false;
    const waiting = rig.next().then((line) => {
      taken = true;
      return line;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(taken).toBe(false);
    expect(rig.notices).toEqual([
      "more than 10 results wait to be fetched: no more tasks are taken until some are",
    ]);
    rig.unfetched = 10;
    expect(await waiting).toBe("one\n");
  });

  it("end when they are closed, whatever is waited for", async () => {
    const idle = new Rig();
    const waiting = idle.next();
    await idle.bytes.close();
    expect(await waiting).toBeNull();
    const full = new Rig();
    full.unfetched = 11;
    const held = full.next();
    await full.bytes.close();
    expect(await held).toBeNull();
  });
});
