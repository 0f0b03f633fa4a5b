import { readFileSync, readdirSync } from "node:fs";

/**
 * Ends the keepers that drivers of before have left for a server: whoever has taken it over has one of its own, `own`, and those would
 * end what is started in its place. Where a system does not tell of its processes they stay, and look twice.
 */
export function endOtherKeepers(
  {
    addressFile,
    server,
  }: { readonly addressFile: string; readonly server: { readonly pid: number; readonly directory: string } },
  own: number | undefined,
): void {
  const words = [addressFile, server.directory, `${server.pid}`].join("\0");
  for (const name of readNames()) {
    const pid = Number(name);
    if (!(pid > 1) || pid === own || pid === process.pid) continue;
    if (`\0${commandOf(pid)}`.includes(`\0${words}\0`)) end(pid);
  }
}

function readNames(): readonly string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
