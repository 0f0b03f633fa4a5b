import type { ChildProcess } from "node:child_process";
import { startProcess } from "../start-process.js";

export interface KeeperOptions {
  /** Absolute path of the Node to run the script with. */
  readonly node: string;
  /** Absolute path of the bundled keeper-main.ts. */
  readonly keeperScript: string;
  /** The run's address file; need not be there yet. */
  readonly addressFile: string;
  readonly server: { readonly pid: number; readonly directory: string };
  /** As the engines have it. */
  readonly leaseMs: number;
  /** How long a new driver is waited for; default 3 s. */
  readonly driverPatienceMs?: number;
}

export interface Keeper {
  readonly pid: number | undefined;
  /** The server has been stopped in good order: nothing is left to keep. Resolves when the keeper is gone. Twice is fine. */
  done(): Promise<void>;
}

// A shell that waits costs next to nothing; Node is only started when the driver died without the word.
const waiter = 'read -r word && [ "$word" = done ] && exit 0; exec "$@"';

/**
 * Starts the process that ends a private server after its driver was killed, once no engine needs it (see `runKeeper`).
 * It notices the death by the end of its standard input, so its other end must not be inherited by anybody:
 * Node sees to that. Does not keep this process alive.
 */
export function startKeeper(options: KeeperOptions): Keeper {
  const { node, keeperScript, addressFile, server, leaseMs, driverPatienceMs } = options;
  const keeper = [
    node,
    keeperScript,
    addressFile,
    server.directory,
    `${server.pid}`,
    `${leaseMs}`,
    `${driverPatienceMs ?? 3_000}`,
  ];
  const child = startProcess("/bin/sh", ["-c", waiter, "taskmuster-keeper", ...keeper], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  const gone = endOf(child);
  child.stdin?.on("error", () => undefined);
  child.unref();
  return {
    pid: child.pid,
    done() {
      child.ref();
      child.stdin?.end("done\n");
      return gone;
    },
  };
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => {
      resolve();
    });
    child.once("error", () => {
      resolve();
    });
  });
}
