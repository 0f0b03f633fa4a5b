import { type NetworkInterfaceInfo } from "node:os";
import { isIPv6 } from "node:net";
import { isLoopbackName } from "./listen.js";

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** With the Unix socket, twelve addresses. */
const mostHosts = 11;
const likelyVirtual = /^(?:docker|br-|virbr|veth|vnet|cni|flannel|cali|lxc|lxd|podman|tun|tap)/;

/**
 * By which hosts' names and addresses others may reach this one, the likeliest first. Names come last: that of this host may
 * mean 127.0.1.1.
 */
export function publishedHosts(interfaces: Interfaces, names: readonly string[]): string[] {
  const usable = Object.entries(interfaces).flatMap(([name, addresses = []]) =>
    addresses.filter(isReachable).map(({ address, family }) => {
      const rank = (likelyVirtual.test(name) ? 2 : 0) + (family === "IPv6" ? 1 : 0);
      return { address, rank };
    }),
  );
  const ranked = usable.toSorted((a, b) => a.rank - b.rank).map(({ address }) => address);
  const named = unique(names.filter((name) => name !== "" && !isLoopbackName(name)));
  return [...unique(ranked).slice(0, mostHosts - named.length), ...named].slice(0, mostHosts);
}

/** `redis://HOST:PORT`, or with TLS `rediss://HOST:PORT`. */
export function tcpUrl(host: string, port: number, tls: boolean): string {
  return `${tls ? "rediss" : "redis"}://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function isReachable({ address, internal }: NetworkInterfaceInfo): boolean {
  // What begins so is only valid on its own link.
  return !internal && !/^(?:169\.254\.|fe[89ab].:)/i.test(address);
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
