import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LocalMethod } from "../../src/context/local.js";
import { Place, config, plan, until } from "./rig.js";

let place: Place;
beforeEach(() => {
  place = new Place();
});
afterEach(() => place.remove());

function launch(node = process.execPath) {
  return new LocalMethod({ node, engineScript: place.engine, cwd: place.dir, env: place.env }).launch(
    plan("here"),
  );
}

describe("an engine on this host", () => {
  it("does nothing before it is told, then gets its configuration and the descriptor that only it and its guardian hold", async () => {
    const engine = launch();
    await until("the start", () => place.told(`start ${JSON.stringify(place.dir)}`));
    engine.begin(config("exit 0", "e7"));
    expect(await engine.gone).toEqual({ ok: true, message: "", proven: true, exitStatus: 0 });
    expect(place.read("told")).toContain("begin e7 3");
  });

  it("is gone only when its guardian is gone too", async () => {
    place.write("guarded", "");
    const engine = launch();
    let gone = false;
    void engine.gone.then(() => {
      gone = true;
    });
    engine.begin(config("exit 0"));
    await until("its beginning", () => place.told("begin e1 3"));
    // By the time that another one has come and gone, its own end has long been seen.
    const other = launch();
    other.terminate();
    await other.gone;
    expect(gone).toBe(false);
    rmSync(place.path("guarded"));
    expect(await engine.gone).toMatchObject({ ok: true });
  });

  it("tells how it failed in its own words", async () => {
    const engine = launch();
    engine.begin(config("say engine: the disk is full 3"));
    expect(await engine.gone).toMatchObject({
      ok: false,
      message: "engine ended with exit status 3: engine: the disk is full 3",
      exitStatus: 3,
    });
  });

  it("is terminated and killed by signals", async () => {
    const engine = launch();
    engine.begin(config("wait"));
    await until("its beginning", () => place.told("begin e1 3"));
    engine.terminate();
    expect(await engine.gone).toMatchObject({
      ok: false,
      message: "engine ended with signal SIGTERM",
      exitStatus: -15,
    });
  });

  it("goes when it is terminated before it was told anything", async () => {
    const engine = launch();
    engine.terminate();
    expect(await engine.gone).toMatchObject({ ok: true });
  });

  it("says when it cannot be started", async () => {
    expect(await launch("/no/such/node").gone).toMatchObject({
      ok: false,
      proven: true,
      message: expect.stringContaining("cannot start an engine: spawn /no/such/node ENOENT"),
    });
  });
});
