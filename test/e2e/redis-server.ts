import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { Redis } from "ioredis";
import { until } from "./harness.js";

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

interface RedisServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** A Redis as an administrator would run one, with the lines of configuration given. */
export async function redisServer(...lines: readonly string[]): Promise<RedisServer> {
  return redisServerOn(await freePort(), ...lines);
}

export async function redisServerOn(port: number, ...lines: readonly string[]): Promise<RedisServer> {
  const child = spawn("redis-server", ["-"], { stdio: ["pipe", "ignore", "ignore"] });
  child.stdin.end([`port ${port}`, "bind 127.0.0.1", 'save ""', "dir /tmp", ...lines].join("\n"));
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await until(
    "the server listens",
    () =>
      new Promise((resolve) => {
        const probe = connect(port, "127.0.0.1");
        probe.once("connect", () => resolve(true));
        probe.once("error", (error) => resolve(error.message));
        probe.once("close", () => probe.destroy());
        probe.once("connect", () => probe.end());
      }),
  );
  return {
    port,
    stop: () => {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

/** What an administrator's redis-cli would be. */
export function adminOf(port: number): Redis {
  return new Redis({ port, protocol: 2 });
}
