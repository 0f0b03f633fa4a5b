import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { KvsAddress } from "@taskmuster/kvs/server";
import { Redis } from "ioredis";

/** A real server on a socket of its own, that can be restarted at the same address. */
export class TestServer {
  readonly binary: string;
  readonly directory = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
  readonly settings: readonly string[];
  #child: ChildProcess | undefined;
  #admin: Redis | undefined;

  private constructor(binary: string, settings: readonly string[]) {
    this.binary = binary;
    this.settings = settings;
  }

  /** `settings` as on the command line: `["--requirepass", "x"]`. */
  static async start(binary: string, settings: readonly string[] = []): Promise<TestServer> {
    const server = new TestServer(binary, settings);
    await server.#launch();
    return server;
  }

  get socket(): string {
    return join(this.directory, "s");
  }

  get address(): KvsAddress {
    return { addresses: [`unix://${this.socket}`], private: false };
  }

  get pid(): number {
    // Never a made-up number: to signal 0 or -1 is to signal everything.
    if (this.#child?.pid === undefined) throw new Error("the server does not run");
    return this.#child.pid;
  }

  /** What a person with redis-cli could ask. */
  async command(name: string, ...args: readonly (string | Buffer)[]): Promise<unknown> {
    this.#admin ??= new Redis({ path: this.socket, protocol: 2 });
    return this.#admin.call(name, [...args]);
  }

  async strings(name: string, ...args: string[]): Promise<string[]> {
    const reply = await this.command(name, ...args);
    return Array.isArray(reply) ? reply.map(String).toSorted() : [String(reply)];
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    this.#admin?.disconnect();
    this.#admin = undefined;
    const child = this.#child;
    if (child === undefined) return;
    const exited = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await exited;
    }
    this.#child = undefined;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.#launch();
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }

  async #launch(): Promise<void> {
    const { directory, socket, settings } = this;
    const fixed = [
      "--port",
      "0",
      "--unixsocket",
      socket,
      "--dir",
      directory,
      "--save",
      "",
      "--appendonly",
      "no",
    ];
    // A server looks ten times a second whether a wait is over; these tests wait often, for a millisecond.
    fixed.push("--hz", "500");
    this.#child = spawn(this.binary, [...fixed, ...settings], { stdio: "ignore", cwd: directory });
    const deadline = performance.now() + 15_000;
    while (!(await accepts(socket))) {
      if (this.#child.exitCode !== null) throw new Error(`${this.binary} ended with ${this.#child.exitCode}`);
      if (performance.now() > deadline) throw new Error(`${this.binary} took no connection on ${socket}`);
      await sleep(3);
    }
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => {
      resolve(false);
    });
  });
}

export function onPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((directory) => join(directory, name))
    .find((path) => existsSync(path));
}

/** Servers to run the suite against: those that are installed, and those that TASKMUSTER_TEST_SERVERS names. */
export function testServers(): {
  readonly name: string;
  readonly binary: string | undefined;
  readonly missing: string;
}[] {
  const further = (process.env["TASKMUSTER_TEST_SERVERS"] ?? "").split(":").filter((path) => path !== "");
  return [
    { name: "redis-server", binary: onPath("redis-server"), missing: "apt install redis-server" },
    {
      name: "valkey-server",
      binary: onPath("valkey-server"),
      missing: "apt install valkey, or TASKMUSTER_TEST_SERVERS=PATH",
    },
    ...further.map((binary) => ({
      name: binary,
      binary: existsSync(binary) ? binary : undefined,
      missing: "no such file",
    })),
  ];
}
