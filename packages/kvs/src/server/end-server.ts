import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type KvsAddress, parseEndpoint } from "../address.js";
import { startSession } from "../redis/session.js";
import { isProcessAlive, livesIn } from "./process-alive.js";

/**
 * Ends a private server by its own means if it answers, else by force, if the process is certainly the one that is meant; then removes its
 * directory. `address` undefined: nobody knows it. `directory` null: it is not on this host.
 */
export async function endServer(
  { serverPid, directory }: { readonly serverPid: number; readonly directory: string | null },
  address: KvsAddress | undefined,
): Promise<void> {
  if (address !== undefined) {
    await askToEnd(address);
    await isGone(serverPid);
  }
  if (directory === null) return;
  if (serverPid > 1 && isProcessAlive(serverPid) && livesIn(serverPid, directory)) {
    process.kill(serverPid, "SIGKILL");
    await isGone(serverPid);
  }
  rmSync(directory, { recursive: true, force: true });
}

async function isGone(pid: number): Promise<void> {
  if (pid <= 1) return;
  const deadline = performance.now() + 3_000;
  while (isProcessAlive(pid) && performance.now() < deadline) await sleep(10);
}

async function askToEnd(address: KvsAddress): Promise<void> {
  const signal = AbortSignal.timeout(2_000);
  for (const each of address.addresses) {
    const options = { role: "keeper", connectTimeoutMs: 2_000, blocking: false, signal } as const;
    const result = await startSession(parseEndpoint(each), address, options);
    if (result.kind !== "session") continue;
    // It answers by going away.
    await result.session.client.call("SHUTDOWN", "NOSAVE").catch(() => undefined);
    result.session.client.disconnect();
    return;
  }
}
