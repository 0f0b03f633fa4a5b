import { EventEmitter } from "node:events";
import type { ReadStream, WriteStream } from "node:tty";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Screen } from "../../src/monitor/screen.js";

class Output extends EventEmitter {
  columns = 80;
  rows = 24;
  readonly writes: string[] = [];

  write(text: string): boolean {
    this.writes.push(text);
    return true;
  }

  /** What was written since the last time, one piece for each write. */
  taken(): readonly string[] {
    return this.writes.splice(0);
  }
}

class Input extends EventEmitter {
  raw = false;

  setRawMode(raw: boolean): void {
    this.raw = raw;
  }

  resume(): void {
    this.emit("resumed");
  }

  pause(): void {
    this.emit("paused");
  }
}

let input = new Input();
let output = new Output();
let seen: unknown[] = [];
let screen = newScreen();

function newScreen(): Screen {
  input = new Input();
  output = new Output();
  seen = [];
  return new Screen(input as unknown as ReadStream, output as unknown as WriteStream, {
    onKeys: (bytes) => seen.push(Buffer.from(bytes).toString()),
    onResize: (size) => seen.push(size),
    onSignal: (signal) => seen.push(signal),
  });
}

beforeEach(() => {
  screen = newScreen();
});
afterEach(() => screen.stop());

const frame = (text: string) => `\u001b[?2026h${text}\u001b[?2026l`;

describe("the terminal's screen", () => {
  it("is written to in one piece, and only where a line has changed", () => {
    screen.start();
    output.taken();
    screen.draw(["one  ", "two  "]);
    expect(output.taken()).toEqual([frame("\u001b[m\u001b[2J\u001b[1;1Hone\u001b[K\u001b[2;1Htwo\u001b[K")]);
    screen.draw(["one  ", "three"]);
    expect(output.taken()).toEqual([frame("\u001b[2;1Hthree")]);
    screen.draw(["one  ", "three"]);
    expect(output.taken()).toEqual([]);
  });

  it("is drawn anew after its size has changed", () => {
    screen.start();
    screen.draw(["one"]);
    output.taken();
    output.columns = 100;
    output.emit("resize");
    expect(seen).toEqual([{ columns: 100, rows: 24 }]);
    screen.draw(["one"]);
    expect(output.taken()).toEqual([frame("\u001b[m\u001b[2J\u001b[1;1Hone")]);
  });

  it("is given back as it was, also when the process ends by itself", () => {
    const before = process.listenerCount("exit");
    screen.start();
    expect(input.raw).toBe(true);
    expect(output.taken()).toEqual(["\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[m\u001b[2J"]);
    for (const listener of process.listeners("exit").slice(before)) listener(1);
    expect(output.taken()).toEqual(["\u001b[m\u001b[?7h\u001b[?25h\u001b[?1049l"]);
    expect(input.raw).toBe(false);
    screen.stop();
    expect(output.taken()).toEqual([]);
    expect(process.listenerCount("exit")).toBe(before);
    expect(
      ["SIGINT", "SIGTERM", "SIGHUP", "SIGTSTP", "SIGCONT"].map((signal) => process.listenerCount(signal)),
    ).toEqual([0, 0, 0, 0, 0]);
  });

  it("is not drawn on once it has been given back", () => {
    screen.draw(["one"]);
    expect(output.taken()).toEqual([]);
  });

  it("tells of keys, signals, and of a terminal that has gone", () => {
    screen.start();
    input.emit("data", Buffer.from("q"));
    process.emit("SIGTERM", "SIGTERM");
    input.emit("end");
    output.emit("error", new Error("EIO"));
    expect(seen).toEqual(["q", "SIGTERM", null, null]);
  });
});
