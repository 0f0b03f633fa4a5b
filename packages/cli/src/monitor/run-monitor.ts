import type { ReadStream, WriteStream } from "node:tty";
import type { KvsStore } from "@taskmuster/kvs";
import { type EngineId, encodeRequest, protocolVersion } from "@taskmuster/kvs/protocol";
import { UsageError } from "../usage-error.js";
import { KeyReader } from "./keys.js";
import { claimedTasks, locateTask, mostClaims } from "./locate-task.js";
import { noteCard } from "./model/card.js";
import type { Effect } from "./model/effect.js";
import { type Happening, type Model, happened, newModel } from "./model/model.js";
import type { Order } from "./model/orders.js";
import { pressed } from "./model/press.js";
import { type Look, lookOf } from "./render/palette.js";
import { render } from "./render/render.js";
import { RunWatcher } from "./run-watcher.js";
import { Screen } from "./screen.js";

export interface MonitorOptions {
  readonly store: Pick<KvsStore, "snapshot" | "ask" | "claimsOf" | "disconnect">;
  /** Of the run's files. */
  readonly prefix: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
  /** Who asks, for the driver's log: `user@host`. */
  readonly by: string;
}

/**
 * Shows a run in the terminal until the person quits, and answers the exit status. Disconnects the store. Throws `UsageError` where
 * there is no terminal.
 */
export async function runMonitor(options: MonitorOptions): Promise<number> {
  const { stdin, stdout, store } = options;
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new UsageError("the monitor needs a terminal; dbutil status tells the same in plain lines");
  }
  try {
    return await new Monitor(options).run();
  } finally {
    await store.disconnect();
  }
}

class Monitor {
  readonly #options: MonitorOptions;
  readonly #screen: Screen;
  readonly #look: Look;
  readonly #keys = new KeyReader();
  readonly #over = new AbortController();
  #model: Model;
  #exitCode = 0;
  #willDraw = false;
  #asksClaims = false;
  #flushTimer: NodeJS.Timeout | undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#look = lookOf(options.env);
    this.#screen = new Screen(options.stdin, options.stdout, {
      onKeys: (bytes) => this.#type(bytes),
      onResize: (size) => this.#happen({ kind: "resized", size }),
      onSignal: (signal) => this.#end(signal === null ? 1 : 128 + (signalNumbers[signal] ?? 15)),
    });
    this.#model = newModel(options.prefix, this.#screen.size, performance.now());
  }

  async run(): Promise<number> {
    const { store, prefix } = this.#options;
    const { signal } = this.#over;
    const quit = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    const watcher = new RunWatcher(store, prefix, (happening) => {
      this.#happen(happening);
      if (happening.kind === "picture") this.#askClaims();
    });
    this.#screen.start();
    try {
      this.#draw();
      await watcher.watch(signal);
      await quit;
      return this.#exitCode;
    } finally {
      clearTimeout(this.#flushTimer);
      this.#screen.stop();
    }
  }

  #end(exitCode: number): void {
    if (this.#over.signal.aborted) return;
    this.#exitCode = exitCode;
    this.#over.abort();
  }

  #type(bytes: Uint8Array): void {
    clearTimeout(this.#flushTimer);
    for (const key of this.#keys.read(bytes)) this.#press(key);
    if (!this.#keys.waits) return;
    this.#flushTimer = setTimeout(() => {
      for (const key of this.#keys.flush()) this.#press(key);
    }, escapeMs);
  }

  #press(key: string): void {
    const { model, effect } = pressed(this.#model, key, performance.now());
    this.#model = model;
    this.#draw();
    if (effect !== null) this.#do(effect);
  }

  #do(effect: Effect): void {
    switch (effect.kind) {
      case "quit":
        return this.#end(this.#model.link.kind === "ended" && this.#model.picture === null ? 1 : 0);
      case "suspend":
        return this.#screen.suspend();
      case "redraw":
        return this.#screen.forget();
      case "ask":
        return void this.#ask(effect.order);
      case "claims":
        return this.#askClaims();
      case "find":
        return void this.#find(effect.task);
    }
  }

  async #ask(order: Order): Promise<void> {
    const { scope, name } = order;
    const { by, store } = this.#options;
    const request = { kind: "order", version: protocolVersion, scope, name, wanted: "drain", by } as const;
    try {
      const isTaken = await store.ask(encodeRequest(request));
      if (!isTaken) this.#happen({ kind: "refused", order, why: "the run has ended" });
    } catch (error) {
      this.#happen({ kind: "refused", order, why: messageOf(error) });
    }
  }

  /** Asks what the engine holds whose dialog is open, if one is. */
  #askClaims(): void {
    const { dialog } = this.#model;
    if (dialog?.kind === "engine" && !this.#asksClaims) void this.#claims(dialog.engine);
  }

  async #claims(engine: EngineId): Promise<void> {
    this.#asksClaims = true;
    try {
      const claims = await this.#options.store.claimsOf(engine, mostClaims);
      this.#happen({ kind: "claims", engine, tasks: claimedTasks(claims) });
    } catch {
      // The next look tells what is wrong with the store.
    } finally {
      this.#asksClaims = false;
    }
  }

  async #find(task: number): Promise<void> {
    const { store, prefix } = this.#options;
    const card = await locateTask(store, `${prefix}_status.txt`, this.#model.picture, task).catch(
      (error: unknown) => noteCard(`Task ${task}`, messageOf(error)),
    );
    this.#happen({ kind: "found", task, card });
  }

  #happen(happening: Happening): void {
    this.#model = happened(this.#model, happening, performance.now());
    this.#draw();
  }

  /** Soon, and once for all that happens together. */
  #draw(): void {
    if (this.#willDraw) return;
    this.#willDraw = true;
    setImmediate(() => {
      this.#willDraw = false;
      if (!this.#over.signal.aborted) this.#screen.draw(render(this.#model, this.#look));
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
/** What follows an Escape within this belongs to it. */
const escapeMs = 50;
