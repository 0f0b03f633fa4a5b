import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BegunConfig, EngineEnd, EngineHandle } from "../../src/context/engine-handle.js";
import type { NodePlan } from "../../src/core/node-plan.js";

const deadlineMs = 20_000;

/** Waits for a fact. */
export async function until(what: string, look: () => boolean): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!look()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await delay(5);
  }
}

/** A directory whose name needs every kind of quoting, with a program in it that behaves like an engine. */
export class Place {
  readonly dir: string;

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), "tm ctx '\"$(id)`\n\\é "));
  }

  /** What engines do is the `context` of their configuration: `wait`, `exit N`, `say WORDS`, or `deaf`. */
  get engine(): string {
    return this.write(
      "an engine.cjs",
      `const fs = require("fs"), { spawn } = require("child_process");
const tell = (line) => fs.appendFileSync(__dirname + "/told", line + "\\n");
let guard = null;
tell("start " + JSON.stringify(process.cwd()));
let first = true, deaf = false;
const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  if (!first) {
    tell(line);
    if (line === "stop" && !deaf) process.exit(0);
    if (line === "kill" && !deaf && process.pid > 1) process.kill(process.pid, "SIGKILL");
    return;
  }
  first = false;
  const config = JSON.parse(line);
  guard = spawn("/bin/sh", ["-c", 'while [ -e "$0" ]; do sleep 0.02; done', __dirname + "/guarded"], {
    detached: true, stdio: ["ignore", "ignore", "ignore", config.livenessFd],
  });
  const [what, ...rest] = config.context.split(" ");
  deaf = what === "deaf";
  fs.writeFileSync(__dirname + "/environment", JSON.stringify(process.env));
  tell("begin " + config.engine + " " + config.livenessFd);
  process.stdout.write("a word that nobody must take for one of ours\\nTM-END 0\\n");
  if (what === "say") process.stderr.write(rest.join(" ") + "\\n");
  if (what === "say" || what === "exit") process.exit(Number(rest.at(-1)));
});
lines.on("close", () => {
  if (first) process.exit(0);
  tell("end of input");
  setTimeout(() => process.exit(0), 50);
});
`,
    );
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** A program of this name comes first on the PATH of `env`. */
  program(name: string, script: string): void {
    chmodSync(this.write(name, `#!/bin/sh\n${script}\n`), 0o755);
  }

  get env(): NodeJS.ProcessEnv {
    return { ...process.env, PATH: `${this.dir}:${process.env["PATH"]}`, DIR: this.dir };
  }

  read(name: string): string {
    try {
      return readFileSync(this.path(name), "utf8");
    } catch {
      return "";
    }
  }

  files(): readonly string[] {
    return readdirSync(this.dir);
  }

  told(line: string): boolean {
    return this.read("told").split("\n").includes(line);
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function plan(host: string, cores = 4): NodePlan {
  return { host, cores, slots: cores, coresPerTask: 1 };
}

/** `does`: see `Place.engine`. */
export function config(does: string, engine = "e1"): BegunConfig {
  return {
    runId: "abcdefgh",
    address: { addresses: ["unix:/nowhere"], private: true },
    engine,
    context: does,
    cores: 4,
    slots: 4,
    coresPerTask: 1,
    launcher: "auto",
    logLevel: "info",
    allocation: false,
    envResources: [],
    idleTimeoutMs: null,
  };
}

/** An engine that the test ends. */
export class FakeHandle implements EngineHandle {
  readonly told: string[] = [];
  readonly gone: Promise<EngineEnd>;
  #resolve: (end: EngineEnd) => void = () => undefined;

  constructor() {
    this.gone = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  begin(given: BegunConfig): void {
    this.told.push(`begin ${given.context}`);
  }

  terminate(): void {
    this.told.push("terminate");
  }

  kill(): void {
    this.told.push("kill");
  }

  end(message = "", exitStatus = message === "" ? 0 : 1): void {
    this.#resolve({ ok: message === "", message, proven: true, exitStatus });
  }
}
