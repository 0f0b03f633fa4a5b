import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import type { StatusRow } from "../src/core/status-line/index.js";
import { Patience } from "../src/patience.js";
import { Recorder } from "../src/recorder.js";
import type { ResultSink } from "../src/result-sink.js";
import { StatusFile, StatusFileError } from "../src/status-file.js";
import { DriverRig, alice, skip } from "./core/driver-rig.js";
import { usePlace } from "./place.js";
import { row } from "./rows.js";

const path = usePlace();
let rig: DriverRig;
let file: StatusFile;
/** What happened, and which rows were on disk then. */
let events: string[];

/** Flags and id of each row. */
function onDisk(): string {
  const lines = readFileSync(path("s"), "utf8").split("\n").slice(0, -1);
  return lines.map((line) => line.split("\t").slice(0, 2).join("|")).join(" ");
}

function recorder(...sinks: readonly ResultSink[]): Recorder {
  return new Recorder({
    core: rig.core,
    statusFile: file,
    patience: new Patience("the file", { onStuck: () => undefined, onFree: () => undefined }),
    sinks,
    acknowledge: async (upTo) => {
      events.push(`acknowledged ${upTo}: ${onDisk()}`);
      await Promise.resolve();
    },
  });
}

/** So many more tasks have ended. */
function end(first: number, count: number): void {
  rig.tasks(count);
  for (let id = first; id < first + count; id++) rig.report(alice, id);
}

beforeEach(async () => {
  rig = new DriverRig();
  file = await StatusFile.create(path("s"), { sync: true });
  events = [];
  return () => file.close();
});

describe("Recorder", () => {
  it("acknowledges when the rows are on disk", async () => {
    const records = recorder();
    end(0, 2);
    await records.record(2);
    expect(events).toEqual(["acknowledged 2:     |0     |1"]);
  });

  it("takes what comes while it is at work all together the next time", async () => {
    const records = recorder();
    end(0, 1);
    const first = records.record(1);
    // The first is under way from the next turn on.
    await Promise.resolve();
    end(1, 1);
    void records.record(2);
    end(2, 2);
    await records.record(4);
    await first;
    expect(events).toEqual(["acknowledged 1:     |0", "acknowledged 4:     |0     |1     |2     |3"]);
  });

  it("has nothing to do when nothing is new", async () => {
    const records = recorder();
    end(0, 1);
    await records.record(1);
    await records.record();
    await records.record(1);
    expect(events).toHaveLength(1);
  });

  it("acknowledges reports that made no row", async () => {
    const records = recorder();
    await records.record(7);
    expect(events).toEqual(["acknowledged 7: "]);
  });

  it("tells the sinks of rows that are on disk and not acknowledged yet, skip ones as well", async () => {
    const sink: ResultSink = {
      publish: async (rows: readonly StatusRow[]) => {
        events.push(`told ${rows.map(({ kind, id }) => `${kind} ${id}`).join(", ")}: ${onDisk()}`);
        await Promise.resolve();
      },
      post: () => Promise.resolve(),
    };
    const records = recorder(sink);
    skip(rig.core, row(7));
    end(0, 1);
    await records.record(1);
    expect(events).toEqual(["told skipped 7, task 0:    S|7     |0", "acknowledged 1:    S|7     |0"]);
  });

  it("acknowledges nothing any more once rows could not be written", async () => {
    const records = recorder();
    end(0, 1);
    await records.record(1);
    await file.close();
    end(1, 1);
    await expect(records.record(2)).rejects.toThrow(StatusFileError);
    end(2, 1);
    await expect(records.record(3)).rejects.toThrow(StatusFileError);
    expect(events).toEqual(["acknowledged 1:     |0"]);
    // What is not there is known.
    skip(rig.core, row(7));
    expect(records.unrecorded()).toEqual([1, 2]);
  });

  it("keeps apart what is being written and what comes meanwhile, over many rounds", async () => {
    const records = recorder();
    let ended = 0;
    for (let round = 1; round <= 40; round++) {
      end(ended, round);
      ended += round;
      const recorded = records.record(ended);
      if (round % 3 === 0) await recorded;
    }
    await records.record(ended);
    const ids = onDisk()
      .split(/ {4,}\|/)
      .slice(1)
      .map((each) => Number(each));
    expect(ids).toEqual(Array.from({ length: ended }, (_, id) => id));
    expect(events.at(-1)).toMatch(new RegExp(`^acknowledged ${ended}: `));
  });
});
