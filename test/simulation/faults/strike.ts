import { type RunId, encodeRequest, protocolVersion } from "@taskmuster/kvs/protocol";
import type { DriverProcess } from "../world/driver-process.js";
import type { Operator } from "../world/operator.js";
import type { EngineProcess } from "../world/engine-process.js";
import type { World } from "../world/world.js";
import type { Fault } from "./fault.js";

/** Lets something go wrong now, for whom it may; nobody may be there. */
export function strike(world: World, operator: Operator, fault: Fault): void {
  const { clockwork, random, disk, server } = world;
  const { ms } = fault;
  const engine = pickOf(
    world,
    world.engines.filter((each) => each.works),
  );
  const told = (who: string): void => world.say("fault", () => `${fault.kind}: ${who}, ${ms} ms`);
  const toEngine = (act: (engine: EngineProcess) => void): void => {
    if (engine === null) return;
    told(engine.process.name);
    act(engine);
  };
  const driver = pickOf(world, operator.living);
  const toDriver = (act: (driver: DriverProcess) => void): void => {
    if (driver === null) return;
    told(driver.process.name);
    act(driver);
  };
  switch (fault.kind) {
    case "engine dies":
      return toEngine((each) => each.process.die());
    case "machine dies":
      return toEngine((each) => (each.remote ? each.crash() : each.process.die()));
    case "engine stops":
      return toEngine((each) => each.pause(ms));
    case "engine is cut off":
      return toEngine((each) => each.cut(ms));
    case "engine's connection is reset":
      return toEngine((each) => each.reset());
    case "task is killed":
      return toEngine((each) => each.hitTask());
    case "engine's starter is cut off":
      return toEngine((each) => (each.remote ? each.loseStarter() : undefined));
    case "scheduler ends a step":
      return toEngine((each) => each.schedulerSignals());
    case "driver dies":
      return toDriver((each) => each.process.die());
    case "driver is replaced":
      return toDriver(() => operator.replaceDriver(ms));
    case "login node dies":
      return toDriver(() => {
        for (const each of operator.living) if (each.process.host === world.login) each.process.die();
        for (const each of world.engines) if (!each.remote) each.crash();
        disk.losePower();
      });
    case "driver stops":
      return toDriver((each) => each.pause(ms));
    case "driver is cut off":
      return toDriver((each) => each.cut(ms));
    case "driver's connection is reset":
      return toDriver((each) => each.reset());
    case "disk is slow":
      told("disk");
      return disk.slow(random.pick([50, 500, 3000]), ms);
    case "disk is full":
      told("disk");
      return disk.fill(ms);
    case "a sync fails":
      told("disk");
      return disk.failNextSync();
    case "store stops":
      told("store");
      return server.door.cut(Math.min(ms, longestStoreStopMs));
    case "store dies":
      told("store");
      return server.replace(random.oneIn(2) ? 100 : ms);
    case "store goes back": {
      told("store");
      const then = server.save();
      return void clockwork.after(1000, null, () => server.replace(random.oneIn(2) ? 100 : ms, then));
    }
    case "clock is set":
      told("a clock");
      return (random.oneIn(2) || engine === null ? world.login : engine.process.host).setWall(
        (random.oneIn(2) ? 1 : -1) * 1000 * random.int(7200),
      );
    case "somebody retires an engine":
      return toEngine((each) => retire(world, operator.driver.run, each));
  }
}

function retire(world: World, run: RunId | null, engine: EngineProcess): void {
  if (run === null) return;
  const scope = world.random.oneIn(3) ? "context" : "engine";
  const order = { kind: "order", version: protocolVersion, wanted: "drain", by: "me" } as const;
  const name = scope === "context" ? engine.context : engine.id;
  const store = world.server.client(run);
  const request = encodeRequest({ ...order, scope, name });
  world.server.do(run, store, "ask", [request]).catch(() => undefined);
}

function pickOf<Value>(world: World, values: readonly Value[]): Value | null {
  return values.length === 0 ? null : world.random.pick(values);
}

/** A server of somebody else's that stops for longer is down, which is another matter. */
const longestStoreStopMs = 15_000;
