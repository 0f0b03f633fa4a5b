import { accessLines } from "./access.js";
import type { ServerIdentity, Tcp } from "./identity.js";

/** Where a server finds what it needs for TLS, while it starts. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

/** What a private server is told on its standard input: no secret stands in argv, nor on disk. */
export function serverConfig(
  { runId, directory, tcp, password, engines }: ServerIdentity,
  files: { readonly socket: string; readonly log: string; readonly tls: TlsFiles },
): string {
  const settings: readonly (readonly [string, string])[] = [
    ["unixsocket", files.socket],
    ["unixsocketperm", "700"],
    ["dir", directory],
    ["logfile", files.log],
    ["daemonize", "no"],
    ["save", ""],
    ["appendonly", "no"],
    ["maxmemory-policy", "noeviction"],
    // An engine's claims: as a table from the start, for in a short list the server searches each of them. (6.2 knows this old
    // name only, and newer ones know it too.)
    ["hash-max-ziplist-entries", "0"],
  ];
  const access = accessLines(runId, { password, engines });
  return [lines(settings), access, ...tcpLines(tcp, files.tls)].join("");
}

function tcpLines(tcp: Tcp | null, files: TlsFiles): string[] {
  if (tcp === null) return ["port 0\n"];
  return [
    ...(tcp.tls === null ? [`port ${tcp.port}\n`] : tlsLines(tcp.port, files)),
    `bind ${tcp.bind.join(" ")}\n`,
    "protected-mode yes\n",
    // Many jobs of an array start in the same second. The system lowers it to what it allows.
    "tcp-backlog 4096\n",
    // A thousand engines have two connections each. The server raises its own limit of open files (`ulimit -n`) as far as it
    // may, and lowers this to what that allows.
    "maxclients 20000\n",
    // A host that went without a word (walltime, a cut cable) holds its connections no longer than this, in seconds.
    "tcp-keepalive 60\n",
  ];
}

/** Clients prove themselves by their password. */
function tlsLines(port: number, { certificate, key }: TlsFiles): string[] {
  return [
    `port 0\ntls-port ${port}\ntls-auth-clients no\n`,
    lines([
      ["tls-cert-file", certificate],
      ["tls-key-file", key],
      // Nobody's, but some versions want one to be named.
      ["tls-ca-cert-file", certificate],
    ]),
  ];
}

function lines(settings: readonly (readonly [string, string])[]): string {
  return settings.map(([name, value]) => `${name} ${quoted(value)}\n`).join("");
}

/** The server reads `"…"` with backslash escapes, so that a path may hold anything. */
function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}
