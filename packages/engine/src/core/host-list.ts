/** One host of a `-s` list with its cores; a host named several times has them added up. */
export interface HostCores {
  /** Perhaps with `user@` before it. */
  readonly host: string;
  readonly cores: number;
}

export type HostListResult =
  | { readonly kind: "hosts"; readonly hosts: readonly HostCores[] }
  | { readonly kind: "bad"; readonly item: string; readonly why: string };

const hostPattern = /^([A-Za-z0-9_][A-Za-z0-9_.+-]*@)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/;

/**
 * Reads `[USER@]HOST:COUNT[,…]`, each argument of `-s` or the whole of `DISBATCH_SSH_NODELIST`. Empty items and blanks are
 * tolerated. COUNT is a number of cores, 1 or more.
 */
export function parseHostList(lists: readonly string[]): HostListResult {
  const cores = new Map<string, number>();
  for (const raw of lists.flatMap((list) => list.split(","))) {
    const item = raw.trim();
    if (item === "") continue;
    const colon = item.lastIndexOf(":");
    if (colon === -1)
      return { kind: "bad", item, why: "there is no count; write HOST:COUNT, as in localhost:4" };
    const host = item.slice(0, colon).trim();
    const count = item.slice(colon + 1).trim();
    if (!hostPattern.test(host))
      return { kind: "bad", item, why: `${JSON.stringify(host)} is not a host name` };
    if (!/^[0-9]+$/.test(count) || Number(count) < 1 || Number(count) > mostCores) {
      return { kind: "bad", item, why: `the count must be a whole number from 1 to ${mostCores}` };
    }
    cores.set(host, (cores.get(host) ?? 0) + Number(count));
  }
  if (cores.size === 0)
    return { kind: "bad", item: lists.join(","), why: "it names no host; write HOST:COUNT" };
  return { kind: "hosts", hosts: [...cores].map(([host, sum]) => ({ host, cores: sum })) };
}

/** Like disBatch, compares by the first DNS label only. A host with a user before it is another one: it wants an ssh. */
export function isThisHost(host: string, thisHost: string): boolean {
  if (host.includes("@")) return false;
  return host === "localhost" || firstLabel(host) === firstLabel(thisHost);
}

function firstLabel(host: string): string {
  return host.split(".")[0]?.toLowerCase() ?? "";
}

const mostCores = 100_000;
