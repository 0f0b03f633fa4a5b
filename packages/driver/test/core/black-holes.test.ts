import { engineId } from "@taskmuster/kvs/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BlackHoles } from "../../src/core/black-holes.js";
import { type Fate, type Simulation, randomOf, simulate } from "./black-hole-simulation.js";

const [good, bad, third] = [engineId("engine0a"), engineId("engine0b"), engineId("engine0c")];

function watched(...slots: readonly number[]): BlackHoles {
  const holes = new BlackHoles({ published: () => 0 });
  holes.setEngines(
    [good, bad, third].slice(0, slots.length).map((engine, at) => ({ engine, slots: slots[at] ?? 1 })),
  );
  return holes;
}

const fine = (seconds: number): Fate => ({ failed: false, seconds });
const fails = (seconds: number): Fate => ({ failed: true, seconds });

describe("a black hole", () => {
  it("is convicted when what others do well fails there, again and again", () => {
    const holes = watched(2, 2);
    for (let task = 0; task < 100; task += 2) {
      holes.onEnd(good, task, false);
      holes.onEnd(bad, task + 1, true);
    }
    expect(holes.convicted()).toEqual([{ engine: bad, failed: 50 }]);
  });

  it("is none as soon as one task does not fail quickly", () => {
    const holes = watched(2, 2);
    for (let task = 0; task < 100; task += 2) {
      holes.onEnd(good, task, false);
      holes.onEnd(bad, task + 1, true);
    }
    holes.onEnd(bad, 100, false);
    expect([holes.convicted(), holes.suspects]).toEqual([[], []]);
  });

  it("is none when a task there runs on", () => {
    const holes = watched(2, 2);
    for (let task = 0; task < 12; task++) holes.onEnd(bad, task, true);
    expect(holes.suspects).toEqual([bad]);
    holes.onSurvived(bad, 12);
    expect(holes.suspects).toEqual([]);
  });

  it("shows also against tasks that run on elsewhere", () => {
    const holes = watched(8, 2);
    for (let task = 0; task < 500; task++) {
      if (task % 60 === 59) holes.onSurvived(good, task);
      else holes.onEnd(bad, task, true);
    }
    expect(holes.convicted()).toEqual([{ engine: bad, failed: 492 }]);
  });

  it("counts a task that ran on, and then ended, once", () => {
    const twice = watched(2, 2);
    for (let task = 0; task < 5; task++) twice.onEnd(bad, task, true);
    for (let task = 5; task < 60; task++) {
      if (task % 10 === 9) {
        twice.onSurvived(good, task);
        twice.onSurvived(good, task);
        twice.onEnd(good, task, true);
      } else twice.onEnd(bad, task, true);
    }
    const once = watched(2, 2);
    for (let task = 0; task < 5; task++) once.onEnd(bad, task, true);
    for (let task = 5; task < 60; task++) {
      if (task % 10 === 9) once.onSurvived(good, task);
      else once.onEnd(bad, task, true);
    }
    expect(twice.convicted()).toEqual(once.convicted());
  });

  it("is not looked for where there is only one engine, or none that can be compared", () => {
    const alone = watched(2);
    for (let task = 0; task < 1000; task++) alone.onEnd(good, task, true);
    const all = watched(2, 2, 2);
    for (let task = 0; task < 3000; task += 3)
      for (const [at, engine] of [good, bad, third].entries()) all.onEnd(engine, task + at, true);
    expect([alone.convicted(), alone.mixes, all.convicted()]).toEqual([[], false, []]);
  });

  it("is forgotten when its engine is there no more", () => {
    const holes = watched(2, 2);
    for (let task = 0; task < 100; task++) holes.onEnd(task % 2 === 0 ? good : bad, task, task % 2 === 1);
    holes.setEngines([{ engine: good, slots: 2 }]);
    expect([holes.suspects, holes.convicted()]).toEqual([[], []]);
  });

  it("is never all of them, whatever ends where", () => {
    const ends = fc.array(fc.tuple(fc.nat(2), fc.boolean()), { minLength: 100, maxLength: 400 });
    fc.assert(
      fc.property(ends, fc.nat(2), (stream, hole) => {
        const holes = watched(1, 1, 1);
        const engines = [good, bad, third];
        for (const [task, [at, quick]] of stream.entries())
          holes.onEnd(engines[at] ?? good, task, at === hole || quick);
        // Somebody must have done what the convicted did not.
        expect(holes.convicted().length).toBeLessThan(3);
      }),
    );
  });
});

/** Lists that fail on their own account, in ways that could look like an engine's. */
const innocentLists: Readonly<Record<string, (seed: number) => Simulation["fateOf"]>> = {
  "every task fails": () => () => fails(0.1),
  "a block of lines fails": () => (task) => (task >= 200 && task < 500 ? fails(0.01) : fine(0.1)),
  "a block of lines fails after long ones": () => (task) =>
    task < 40 ? fine(600) : task < 400 ? fails(0.01) : fine(30),
  "blocks fail that are as long as what is claimed at a time": () => (task) =>
    Math.floor(task / 16) % 2 === 1 ? fails(0.05) : fine(0.05),
  "every second line fails": () => (task) => (task % 2 === 1 ? fails(1) : fine(1)),
  "every fourth line succeeds": () => (task) => (task % 4 === 0 ? fine(1) : fails(1)),
  "half of the lines fail, at random": () => (_, random) => (random() < 0.5 ? fails(0.2) : fine(0.2)),
  "nine of ten fail, at random": () => (_, random) => (random() < 0.9 ? fails(0.2) : fine(3)),
  "quick failures among long tasks": () => (_, random) => (random() < 0.3 ? fails(0.1) : fine(100)),
  "long tasks, and long blocks of failures": (seed) => (task) =>
    Math.floor(task / (50 + (seed % 7) * 30)) % 2 === 1 ? fails(0.1) : fine(60),
};
const sizes: Readonly<Record<string, readonly number[]>> = {
  "two engines of one slot": [1, 1],
  "two of eight": [8, 8],
  "one and thirty": [1, 30],
  "five of two": [2, 2, 2, 2, 2],
};

describe.each(Object.entries(innocentLists))("when %s", (_, listOf) => {
  it.each(Object.entries(sizes))("no engine is drained: %s", (_name, slots) => {
    for (let seed = 0; seed < 25; seed++) {
      const random = randomOf(seed);
      const plan: Simulation = {
        tasks: 800,
        fateOf: listOf(seed),
        engines: slots.map((count) => ({ slots: count })),
        seed,
        ahead: [0, 4, 16][seed % 3] ?? 0,
        jitter: seed % 2 === 0 ? 0 : random(),
        ...(seed % 5 === 0 ? { window: 200 } : {}),
      };
      expect([seed, simulate(plan)]).toEqual([seed, []]);
    }
  });
});

describe("when everything fails on one engine", () => {
  it.each([
    ["and short tasks run well elsewhere", () => fine(0.1), [4, 4], 0.01, 3000],
    ["as slowly as it succeeds elsewhere", () => fine(1), [4, 4], 1, 1000],
    ["one slot of many", () => fine(1), [31, 1], 0.05, 8000],
    ["a large one of few", () => fine(1), [2, 32], 0.05, 20_000],
    ["and tasks are long elsewhere", () => fine(60), [32, 4], 0.1, 20_000],
    [
      "and a tenth fails anyway",
      (task: number) => (task % 10 === 3 ? fails(0.1) : fine(0.5)),
      [4, 4],
      0.1,
      3000,
    ],
  ] as const)("it is drained, and no other: %s", (_, fateOf, [others, hole], holeSeconds, tasks) => {
    for (let seed = 0; seed < 5; seed++) {
      const engines = [{ slots: others }, { slots: hole, holeSeconds }];
      const verdicts = simulate({ tasks, fateOf, engines, seed, ahead: seed * 4, jitter: 0.1 });
      expect([seed, verdicts.map(({ engine }) => engine)]).toEqual([seed, [1]]);
      expect(verdicts[0]?.failed).toBeLessThan(tasks / 2);
    }
  });

  it("two of three are drained, and the last one never", () => {
    const engines = [{ slots: 4 }, { slots: 4, holeSeconds: 0.2 }, { slots: 4, holeSeconds: 0.2 }];
    const verdicts = simulate({ tasks: 5000, fateOf: () => fine(0.2), engines, seed: 1, jitter: 0.2 });
    expect(verdicts.map(({ engine }) => engine).toSorted((a, b) => a - b)).toEqual([1, 2]);
  });
});
