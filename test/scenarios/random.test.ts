import * as fc from "fast-check";
import { describe, it } from "vitest";
import { World } from "./world.js";

const line = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("true", "exit 1", "kill -9", "lost") },
  { weight: 4, arbitrary: fc.constant("quick") },
  { weight: 4, arbitrary: fc.nat(5).map((name) => `wait ${name}`) },
  { weight: 1, arbitrary: fc.constant("#DISBATCH BARRIER") },
  { weight: 1, arbitrary: fc.constant("#DISBATCH REPEAT 5 true") },
);
const perEngine = fc.constantFrom("#DISBATCH PERENGINE START true", "#DISBATCH PERENGINE STOP exit 1");
const engine = fc.constantFrom("a", "b", "c");
const command = fc.oneof(
  { weight: 6, arbitrary: fc.constant("run") },
  { weight: 4, arbitrary: fc.nat(5).map((name) => `finish ${name}`) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom("cut", "heal", "lose", "kill", "signal", "remind"), engine)
      .map((words) => words.join(" ")),
  },
  { weight: 1, arbitrary: engine.map((name) => `engine ${name} slots=2`) },
  { weight: 1, arbitrary: fc.constantFrom("forget", "save", "fall-back", "wait 10") },
  { weight: 2, arbitrary: fc.constantFrom("driver", "a", "b", "c").map((name) => `turn ${name}`) },
);

/** One command, if it makes sense now. */
async function attempt(world: World, seen: Set<string>, text: string): Promise<void> {
  const [verb = "", name = ""] = text.split(" ");
  const target = world.engines.find((each) => each.name === name);
  switch (verb) {
    case "engine":
      if (seen.has(name)) return;
      seen.add(name);
      // Nobody can join a run that has not been opened (again).
      await play(world, "turn driver");
      break;
    case "finish":
      if (!world.engines.some(({ waits }) => waits.includes(name))) return;
      break;
    case "lose":
      // Nobody is taken for lost before its tasks are dead.
      if (target === undefined) return;
      await play(world, `fence ${name}`);
      break;
    case "kill":
      if (target === undefined) return;
      await play(world, text);
      return play(world, `lose ${name}`);
    case "run":
    case "forget":
    case "save":
    case "fall-back":
    case "wait":
      break;
    case "turn":
      if (name !== "driver" && target === undefined) return;
      break;
    default:
      if (target === undefined) return;
  }
  return play(world, text);
}

async function play(world: World, text: string): Promise<void> {
  await world.do({ words: text.split(" "), lines: [] });
}

describe("any scenario", () => {
  it("breaks no invariant, and works every line through once engines can be heard", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(perEngine, { maxLength: 2 }),
        fc.array(line, { maxLength: 16 }),
        fc.array(command, { maxLength: 40 }),
        async (top, list, commands) => {
          const world = new World();
          await world.do({ words: ["list", "max-losses=2"], lines: [...top, ...list] });
          await play(world, "engine a slots=2");
          const seen = new Set(["a"]);
          for (const each of commands) await attempt(world, seen, each);
          for (const each of world.engines) await play(world, `heal ${each.name}`);
          await play(world, "turn driver");
          await play(world, "engine z slots=3");
          for (let i = 0; i < 200 && world.reason === null; i++) {
            await play(world, "run");
            await play(world, "wait 10");
            for (const each of world.engines) await play(world, `remind ${each.name}`);
            const waits = world.engines.flatMap((each) => each.waits);
            for (const name of new Set(waits)) await attempt(world, seen, `finish ${name}`);
          }
          await play(world, "run");
          if (world.reason !== "finished" || world.engines.length > 0)
            throw new Error(`it ends: ${world.reason}`);
          world.assertComplete();
        },
      ),
      { numRuns: 300 },
    );
  });
});
