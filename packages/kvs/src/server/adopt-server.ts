import { connect } from "node:net";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunAddress } from "./address-file.js";
import { ask, deposited } from "./deposit.js";
import { endServer } from "./end-server.js";
import type { ServerIdentity } from "./identity.js";
import { isProcessAlive, livesIn } from "./process-alive.js";
import { type RunningServer, lastLines, logIn } from "./private-server.js";

/** A private server of this host that a driver before this one has started. */
export interface AdoptedServer extends RunningServer {
  readonly pid: number;
  /** For `restartPrivateServer`; null: it does not tell, so that nobody can start it again as the same. */
  readonly identity: ServerIdentity | null;
}

/** Finds out which process a private server is that answers at this address. Null: it is on another host, where its keeper looks after it. */
export async function adoptServer(address: RunAddress): Promise<AdoptedServer | null> {
  const found = await ask(address, async (session, socket) => {
    const info = String(await session.client.call("INFO", "server"));
    const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1] ?? 0);
    return { pid, socket, tcp: await deposited(session) };
  });
  if (found === null) return null;
  const { pid, socket, tcp } = found;
  const directory = dirname(socket);
  if (pid <= 1 || !livesIn(pid, directory)) return null;

  const { password, engines, runId } = address;
  const isReachable = address.addresses.some((each) => !each.startsWith("unix:"));
  const isKnown = password !== undefined && engines !== undefined && (!isReachable || tcp !== null);
  const watching = new AbortController();
  let stopped: Promise<void> | undefined;
  return {
    pid,
    directory,
    identity: isKnown ? { runId, directory, tcp, password, engines } : null,
    exited: endOf(pid, socket, watching.signal).then(() => ({
      code: null,
      signal: null,
      log: lastLines(logIn(directory)),
    })),
    stop() {
      stopped ??= endServer({ serverPid: pid, directory }, address).finally(() => watching.abort());
      return stopped;
    },
  };
}

/** Ends a private server of another host, as far as that can be done from here. Does not throw. */
export function endDistantServer(address: RunAddress): Promise<void> {
  return endServer({ serverPid: 0, directory: null }, address);
}

/** Of a process that is no child of ours: a connection to it ends when it does. */
async function endOf(pid: number, socket: string, stop: AbortSignal): Promise<void> {
  const directory = dirname(socket);
  const isThere = (): boolean =>
    isProcessAlive(pid) && (livesIn(pid, directory) || livesIn(pid, `${directory} (deleted)`));
  while (!stop.aborted && isThere()) {
    await connectionEnds(socket, stop);
    // It may still be about to die, or have closed the connection for another reason.
    await sleep(againMs, undefined, { ref: false, signal: stop }).catch(() => undefined);
  }
}

function connectionEnds(socket: string, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const end = (): void => {
      connection.destroy();
    };
    connection.unref();
    connection.resume();
    connection.on("error", () => undefined);
    stop.addEventListener("abort", end, { once: true });
    connection.once("close", () => {
      stop.removeEventListener("abort", end);
      resolve();
    });
  });
}

const againMs = 100;
