import { describe, expect, it } from "vitest";
import { KvsListEnd } from "../../src/task-source/kvs-list-end.js";

/** A store with results that nobody has fetched, and a command. */
class Rig {
  readonly said: string[] = [];
  unfetched = 0;
  readonly #isPrivate: boolean;
  readonly #hasCommand: boolean;
  commandEnds: () => void = () => undefined;

  constructor(isPrivate: boolean, hasCommand: boolean) {
    this.#isPrivate = isPrivate;
    this.#hasCommand = hasCommand;
  }

  end(patienceMs = 10_000): KvsListEnd {
    const say = (word: string): Promise<void> => {
      this.said.push(word);
      return Promise.resolve();
    };
    const gone = new Promise<never>((resolve) => {
      this.commandEnds = resolve as () => void;
    });
    return new KvsListEnd({
      channel: {
        end: (message) => say(message),
        unfetched: () => Promise.resolve(this.unfetched),
        clear: () => say("clear"),
        close: () => say("close"),
      },
      command: this.#hasCommand ? { gone, stop: () => say("stop") } : null,
      patienceMs,
      isPrivate: this.#isPrivate,
      onNotice: (message) => void this.said.push(message),
    });
  }
}

const finished = { reason: { kind: "finished" } } as const;
const told = '{"reason":"finished","message":null}';

async function settled(work: Promise<void>): Promise<boolean> {
  let done = false;
  void work.then(() => {
    done = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 60));
  return done;
}

describe("the end of a list that came through the store", () => {
  it("waits until the results in a store that goes away are fetched", async () => {
    const rig = new Rig(true, false);
    rig.unfetched = 2;
    const ending = rig.end().run(finished);
    expect(await settled(ending)).toBe(false);
    expect(rig.said).toEqual([told]);
    rig.unfetched = 0;
    await ending;
    expect(rig.said).toEqual([told, "close"]);
  });

  it("gives up when nobody fetches any, or when it is told to hurry", async () => {
    const rig = new Rig(true, false);
    rig.unfetched = 2;
    await rig.end(10).run(finished);
    expect(rig.said[1]).toBe("2 results were not fetched, and go with the private key-value store");
    const hurried = rig.end();
    const ending = hurried.run(finished);
    hurried.hurry();
    await ending;
  });

  it("leaves what is not fetched in a store that stays", async () => {
    const rig = new Rig(false, false);
    rig.unfetched = 2;
    await rig.end().run(finished);
    expect(rig.said).toEqual([told, "clear", "close"]);
  });

  it("lets the command finish its work, unless told to hurry", async () => {
    const rig = new Rig(true, true);
    const ending = rig.end().run(finished);
    expect(await settled(ending)).toBe(false);
    rig.commandEnds();
    await ending;
    expect(rig.said).toEqual([told, "stop", "close"]);
    const hurried = rig.end();
    hurried.hurry();
    await hurried.run(finished);
  });

  it("stops the command of a run that was stopped, and says nothing to a store that is gone", async () => {
    const stopped = new Rig(true, true);
    await stopped.end().run({ reason: { kind: "failFast", id: 1, line: 2 } });
    expect(stopped.said[0]).toMatch(/^\{"reason":"failFast","message":"Quitting early .*"\}$/);
    expect(stopped.said.slice(1)).toEqual(["stop", "close"]);
    const signalled = new Rig(true, false);
    signalled.unfetched = 2;
    await signalled.end().run({ reason: { kind: "stopped", signal: "SIGTERM" } });
    expect(signalled.said.slice(1)).toEqual(["close"]);
    const lost = new Rig(true, true);
    await lost.end().run({ reason: { kind: "broken", message: "why" } });
    expect(lost.said).toEqual(["stop", "close"]);
  });
});
