import { execFile } from "node:child_process";
import { hostname } from "node:os";

/** A name service that takes longer is not waited for. */
const patienceMs = 250;

/** The full name of this host, if it is to be had quickly, then its short one. */
export async function hostNames(): Promise<string[]> {
  const short = hostname();
  if (short.includes(".")) return [short];
  const full = await fullName();
  return full.startsWith(`${short}.`) ? [full, short] : [short];
}

// Not by Node's own resolver: it cannot be called off, and would keep us from ending.
function fullName(): Promise<string> {
  return new Promise((resolve) => {
    const options = { timeout: patienceMs, killSignal: "SIGKILL", encoding: "utf8" } as const;
    execFile("hostname", ["-f"], options, (error, stdout) => {
      const name = stdout.trim();
      resolve(error === null && /^[\w.-]+$/.test(name) ? name : "");
    });
  });
}
