import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** SIGSTOP, until it stands still: a process goes on for a while after it was sent, for long where there is much to do. */
export async function stopProcess(pid: number): Promise<void> {
  if (!Number.isSafeInteger(pid) || pid <= 1) throw new Error(`no process to stop: ${pid}`);
  process.kill(pid, "SIGSTOP");
  // ps fails when it is gone.
  while (!execFileSync("ps", ["-o", "state=", "-p", String(pid)], { encoding: "latin1" }).startsWith("T"))
    await delay(5);
}
