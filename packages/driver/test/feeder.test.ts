import { writeFileSync } from "node:fs";
import { TaskmusterError } from "@taskmuster/kvs";
import { afterEach, describe, expect, it } from "vitest";
import { Bell } from "../src/bell.js";
import type { DriverCore } from "../src/core/driver-core.js";
import { formatRow } from "../src/core/status-line/index.js";
import type { Item } from "../src/core/task-file/index.js";
import { Feeder, type ResumeChoice } from "../src/feeder.js";
import { ResumeFiles } from "../src/resume.js";
import type { TaskSource } from "../src/task-source/task-source.js";
import { barrierItem as barrier, taskItem as task } from "./items.js";
import { alice, DriverRig } from "./core/driver-rig.js";
import { usePlace } from "./place.js";
import { row } from "./rows.js";

const path = usePlace();
const openFiles: ResumeFiles[] = [];

afterEach(async () => {
  for (const files of openFiles.splice(0)) await files.close();
});

/** Hands out batches as they are asked for; writes down how many items were asked for. */
class Source implements TaskSource {
  readonly name = "tasks";
  readonly asked: number[] = [];
  readonly #batches: (readonly Item[] | Error)[];

  constructor(...batches: readonly (readonly Item[] | Error)[]) {
    this.#batches = [...batches];
  }

  async read(max: number): Promise<readonly Item[]> {
    this.asked.push(max);
    const batch = this.#batches.shift() ?? [];
    if (batch instanceof Error) throw batch;
    return batch;
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}

interface Feeding {
  readonly rig: DriverRig;
  readonly room: Bell;
  readonly notices: string[];
  readonly done: Promise<void>;
}

function feed(source: TaskSource, first: readonly Item[] = [], resume: ResumeChoice | null = null): Feeding {
  const rig = new DriverRig();
  const room = new Bell();
  const notices: string[] = [];
  const core: DriverCore = rig.core;
  const feeder = new Feeder({
    core,
    source,
    first,
    resume,
    room,
    onNotice: (message) => notices.push(message),
  });
  return { rig, room, notices, done: feeder.run(() => null) };
}

async function resumeOf(
  options: { readonly retryFailed?: boolean; readonly force?: boolean } = {},
): Promise<ResumeChoice> {
  writeFileSync(path("s"), Buffer.concat([formatRow(row(0)), formatRow(row(1, { returnCode: 3 }))]));
  const files = await ResumeFiles.open([path("s")]);
  openFiles.push(files);
  return { files, retryFailed: false, force: false, ...options };
}

/** Lets promises that can go on do so. */
async function turns(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

describe("Feeder", () => {
  it("gives the core what was read already, then the rest, then the end", async () => {
    const { rig, done } = feed(new Source([task(2)], [task(3)]), [task(0), task(1)]);
    await done;
    expect(rig.look()).toEqual(["publish back 0 1 2 3"]);
    for (const id of [0, 1, 2, 3]) rig.report(alice, id);
    expect(rig.reason).toBe("finished");
  });

  it("asks for no more than the core has room for, and waits for room", async () => {
    const window = new DriverRig().core.roomForItems;
    const many = Array.from({ length: window + 8 }, (_, id) => task(id));
    const source = new Source([task(window + 8)]);
    const { rig, room, done } = feed(source, many);
    await turns();
    expect(rig.core.view.outstanding).toBe(window);
    expect(source.asked).toEqual([]);
    for (let id = 0; id < 20; id++) rig.report(alice, id);
    room.ring();
    await done;
    expect(source.asked).toEqual([12, 11]);
    expect(rig.core.view.outstanding).toBe(window - 11);
  });

  it("waits at a barrier until it is passed", async () => {
    const { rig, room, done } = feed(new Source(), [task(0), barrier(1), task(2)]);
    await turns();
    expect(rig.look()).toEqual(["publish back 0"]);
    rig.report(alice, 0);
    room.ring();
    await done;
    expect(rig.look()).toEqual(["publish back 2", "row task 0 0", "row barrier 1 0"]);
  });

  it("ends when the run does", async () => {
    const source = new Source([task(9)]);
    const { rig, room, done } = feed(source, [barrier(0), task(1), barrier(2), task(3)]);
    await turns();
    rig.core.drain("Ctrl-C");
    room.ring();
    await done;
    expect(source.asked).toEqual([]);
    expect(rig.look()).toEqual(["order drain", "row barrier 0 0"]);
  });

  it("hands notices on with their line, and ends the list at a bad one", async () => {
    const notice: Item = { kind: "notice", line: 1, message: "CRLF" };
    const error: Item = { kind: "error", line: 3, text: "#DISBATCH FOO", message: "unknown directive" };
    const { rig, room, notices, done } = feed(new Source([task(0), error]), [notice]);
    await turns();
    expect(notices).toEqual(["line 1: CRLF"]);
    expect(rig.core.reason).toEqual({ kind: "badInput", message: "tasks, line 3: unknown directive" });
    expect(rig.core.phase).toBe("running");
    rig.look();
    rig.report(alice, 0);
    expect(rig.look()).toEqual(["order drain", "row task 0 0"]);
    room.ring();
    await done;
  });

  it("ends the list when it cannot be read on", async () => {
    const { rig, done } = feed(
      new Source([task(0)], new TaskmusterError("E_TASK_FILE", "cannot read tasks: EIO")),
    );
    await done;
    expect(rig.core.reason).toEqual({ kind: "badInput", message: "cannot read tasks: EIO" });
  });

  it("does not hide our own mistakes behind the list", async () => {
    const late: Item = { kind: "perEngine", when: "start", line: 2, command: Buffer.from("x") };
    await expect(feed(new Source([task(0), late])).done).rejects.toThrow(
      "PERENGINE after the engines have started",
    );
    await expect(feed(new Source(new RangeError("oops"))).done).rejects.toThrow("oops");
  });
});

describe("Feeder with a resume", () => {
  it("skips what has a row, also a failed one, and runs the rest", async () => {
    const { rig, done } = feed(new Source(), [task(0), task(1), task(2)], await resumeOf());
    await done;
    expect(rig.look()).toEqual(["publish back 2", "row skipped 0 0", "row skipped 1 3"]);
  });

  it("runs failed ones again with -R, also when their text was mended", async () => {
    const { rig, done } = feed(
      new Source(),
      [task(0), task(1, "mended")],
      await resumeOf({ retryFailed: true }),
    );
    await done;
    expect(rig.look()).toEqual(["publish back 1", "row skipped 0 0"]);
  });

  it("ends the list at a task that is another one, in a stream too", async () => {
    const { rig, done } = feed(new Source(), [task(0), task(1, "other"), task(2)], await resumeOf());
    await done;
    expect(rig.reason).toBe("badInput");
    expect(rig.look()).toEqual(["order drain", "row skipped 0 0"]);
  });

  it("takes the old row, with its old text, when it is forced to", async () => {
    const { rig, done } = feed(new Source(), [task(0), task(1, "other")], await resumeOf({ force: true }));
    await done;
    rig.look();
    expect(rig.rows.map((each) => Buffer.from(each.command).toString())).toEqual(["echo 0", "echo 1"]);
  });
});
