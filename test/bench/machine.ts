import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";

/** What was measured on, in a line. */
export function machineText(): string {
  const [cpu] = cpus();
  const redis = execFileSync("/bin/sh", [
    "-c",
    "redis-server --version || valkey-server --version",
  ]).toString();
  return (
    `${cpus().length} × ${cpu?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, ` +
    `Node ${process.version}, Redis ${/v=(\S+)/.exec(redis)?.[1] ?? "?"}`
  );
}
