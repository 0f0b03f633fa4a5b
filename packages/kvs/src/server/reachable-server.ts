import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { KvsError } from "../errors.js";
import type { RunId } from "../protocol/index.js";
import { type ServerCertificate, makeCertificate } from "./certificate.js";
import { freePort } from "./free-port.js";
import { hostNames } from "./host-names.js";
import type { Listen } from "./listen.js";
import { type PrivateServer, startPrivateServer } from "./private-server.js";
import { publishedHosts } from "./published-hosts.js";

const mostAttempts = 20;

/**
 * Starts a private server that other hosts can reach too, by TCP, with TLS if it can do that (`identity.tcp.tls`). Resolves when it takes
 * connections: only then is it certain that its port was not taken in between. Throws `KvsError`; nothing is left then.
 */
export async function startReachableServer(
  options: {
    readonly binary: string;
    readonly runId: RunId;
    readonly directory?: string;
    readonly listen: Listen;
  },
  findPort: () => Promise<number> = freePort,
): Promise<PrivateServer> {
  const { listen, ...rest } = options;
  const [hosts, bind] = [await hostsOf(listen), bindOf(listen)];
  return listening((port, tls) => startPrivateServer({ ...rest, tcp: { port, bind, hosts, tls } }), {
    named: listen.port || null,
    findPort,
    tls: makeCertificate(hosts),
  });
}

/** The server cannot be told to choose a free port itself: to it, port 0 means none. */
async function listening(
  start: (port: number, tls: ServerCertificate | null) => PrivateServer,
  options: {
    readonly named: number | null;
    readonly findPort: () => Promise<number>;
    readonly tls: ServerCertificate;
  },
): Promise<PrivateServer> {
  const { named, findPort } = options;
  let tls: ServerCertificate | null = options.tls;
  for (let attempt = 1; ; attempt++) {
    const port = named ?? (await findPort());
    const server = start(port, tls);
    try {
      await server.ready;
      return server;
    } catch (error) {
      await server.stop();
      const { log } = await server.exited;
      if (tls !== null && knowsNoTls(log)) {
        tls = null;
        continue;
      }
      const why = whyNotBound(log);
      if (why === null) throw error;
      if (named !== null) throw portRefused(port, why, error);
      if (attempt === mostAttempts) throw error;
    }
  }
}

/** Built without it, it calls the setting a bad one, or from Redis 7.2 on finds no support; built with it as a module, it fails to set it up. */
function knowsNoTls(log: readonly string[]): boolean {
  return /tls-port|configure TLS|finding TLS support/.test(log.join("\n"));
}

function whyNotBound(log: readonly string[]): string | null {
  const text = log.join("\n");
  if (text.includes("Address already in use")) return "something else listens there";
  if (text.includes("bind: Permission denied")) return "the system does not allow it";
  return null;
}

function portRefused(port: number, why: string, cause: unknown): KvsError {
  return new KvsError(
    `--use-address: the key-value store cannot listen on port ${port} of ${hostname()}: ${why}; ` +
      "name another port, or none: then a free one is chosen",
    { cause },
  );
}

/** An address of ours is listened on alone; any other name may mean whatever leads here. */
function bindOf(listen: Listen): readonly string[] {
  if (listen.kind === "as" && isIP(listen.host) !== 0) {
    const own = Object.values(interfaces()).flatMap((each) => each ?? []);
    if (own.some(({ address }) => address === listen.host)) return [listen.host];
  }
  // The minus: a host without IPv6 will do.
  return ["*", "-::*"];
}

async function hostsOf(listen: Listen): Promise<readonly string[]> {
  switch (listen.kind) {
    case "as":
      return [listen.host];
    case "everywhere":
      return publishedHosts(interfaces(), await hostNames());
  }
}

/** Some sandboxes do not tell. */
function interfaces(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {};
  }
}
