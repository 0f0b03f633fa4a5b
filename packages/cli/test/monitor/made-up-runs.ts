import type { Snapshot } from "@taskmuster/kvs/protocol";
import { clockMs, context, engine, failure, nodes, snapshot, text } from "./fixture.js";

/** A run in which there is something of everything. */
export function busyRun(): Snapshot {
  const slurm = Array.from({ length: 8 }, (_, number) => `node${String(number + 1).padStart(3, "0")}`);
  const endsAt = clockMs + 3_723_000;
  return snapshot(
    {
      serves: true,
      lost: 3,
      failures: [
        failure(4127),
        failure(4012, {
          returnCode: -9,
          host: "grace",
          end: clockMs / 1000 - 75,
          command: text("./simulate --grid 4096 --steps 200000 > /scratch/ada/4012.log"),
          lastWords: text("Killed\n"),
        }),
        failure(3991, {
          returnCode: 127,
          command: text("ffmpeg -i clip.mp4 -vf scale=640:-1 small.mp4"),
          lastWords: text("bash: line 1: ffmpeg: command not found\n"),
          end: clockMs / 1000 - 240,
        }),
        failure(0, {
          perEngine: true,
          line: 2,
          host: "node008",
          end: clockMs / 1000 - 600,
          command: text("module load cuda"),
          lastWords: text(""),
        }),
      ],
    },
    [
      context({ label: "J48113", kind: "slurm", host: "node001", nodes: nodes(...slurm) }),
      context({
        label: "SSH1",
        rank: 1,
        limit: 500,
        credit: 77,
        nodes: [
          ...nodes("ada", "grace"),
          {
            host: "lovelace.example.org",
            slots: 8,
            state: "failed",
            why: "ssh: connect to host lovelace.example.org port 22: Connection refused",
          },
        ],
      }),
      context({
        label: "J48119",
        rank: 2,
        kind: "slurm",
        host: "node014",
        wanted: "drain",
        nodes: nodes("node014", "node015", "node016"),
      }),
    ],
    [
      engine({
        rank: 0,
        context: "J48113",
        host: "node001",
        slots: 16,
        busy: 16,
        done: 812,
        failed: 2,
        endsAt,
      }),
      engine({
        rank: 1,
        context: "J48113",
        host: "node002",
        slots: 16,
        busy: 15,
        done: 790,
        failed: 0,
        endsAt,
      }),
      engine({
        rank: 2,
        context: "J48113",
        host: "node003",
        slots: 16,
        busy: 16,
        done: 803,
        failed: 1,
        endsAt,
      }),
      engine({
        rank: 3,
        context: "J48113",
        host: "node004",
        slots: 16,
        busy: 4,
        done: 655,
        failed: 7,
        endsAt,
      }),
      engine({
        rank: 4,
        context: "J48113",
        host: "node005",
        slots: 16,
        busy: 0,
        done: 0,
        state: "starting",
        endsAt,
      }),
      engine({
        rank: 5,
        context: "J48113",
        host: "node006",
        slots: 16,
        busy: 16,
        done: 514,
        renewal: 1,
        endsAt,
      }),
      engine({
        rank: 6,
        context: "J48113",
        host: "node007",
        slots: 16,
        busy: 0,
        membership: "expelled",
        why: "its lease has run out",
        done: 101,
      }),
      engine({ rank: 7, context: "SSH1", host: "ada", slots: 8, busy: 7, done: 302 }),
      engine({
        rank: 8,
        context: "SSH1",
        host: "grace",
        slots: 8,
        busy: 8,
        done: 121,
        failed: 1,
        state: "draining",
        statsWhy: "its disk is full",
      }),
      engine({
        rank: 9,
        context: "J48119",
        host: "node014",
        slots: 4,
        busy: 2,
        done: 61,
        wanted: "drain",
        state: "draining",
      }),
      engine({
        rank: 10,
        context: "J48119",
        host: "node015",
        slots: 4,
        busy: 0,
        done: 40,
        membership: "left",
        why: "drained",
      }),
      engine({
        rank: 11,
        context: "J48119",
        host: "node016",
        slots: 4,
        busy: 1,
        done: 4,
        wanted: "drain",
        state: "draining",
      }),
    ],
  );
}

/** A run of so many engines in a few contexts. */
export function largeRun(engines: number, renewal = 1): Snapshot {
  const contexts = Array.from({ length: Math.ceil(engines / 100) }, (_, number) =>
    context({ label: `J${9000 + number}`, rank: number, kind: "slurm" }),
  );
  return snapshot(
    { failures: Array.from({ length: 10 }, (_, number) => failure(number)) },
    contexts,
    Array.from({ length: engines }, (_, rank) =>
      engine({
        rank,
        context: `J${9000 + Math.floor(rank / 100)}`,
        host: `node${((rank * 7919) % engines) + 1}.cluster`,
        slots: 64,
        busy: (rank * 31) % 65,
        done: (rank * 97) % 1000,
        failed: rank % 17,
        renewal,
      }),
    ),
  );
}
