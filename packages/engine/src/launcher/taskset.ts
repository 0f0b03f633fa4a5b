import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A task that cannot be pinned runs all the same. */
const pinAndGo = '"$1" -pc "$2" $$ >/dev/null 2>&1; shift 2; exec "$@"';

let found: string | null | undefined;

/** What to put before a command to run it on some CPUs: Node itself cannot pin. Nothing where util-linux is not there. */
export function onCpus(cpus: readonly number[] | undefined): readonly string[] {
  if (cpus === undefined || cpus.length === 0) return [];
  found ??=
    (process.env["PATH"] ?? "")
      .split(delimiter)
      .filter((directory) => directory.startsWith("/"))
      .map((directory) => join(directory, "taskset"))
      .find((path) => existsSync(path)) ?? null;
  return found === null ? [] : ["/bin/sh", "-c", pinAndGo, "sh", found, cpus.join(",")];
}
