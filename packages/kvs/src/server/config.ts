/** Where a server listens besides its Unix socket; `bind` as the server's own setting has it. */
export interface Tcp {
  readonly port: number;
  readonly bind: readonly string[];
}

/** What a private server is told on its standard input: the secret stands neither in argv nor on disk. */
export function serverConfig(options: {
  readonly directory: string;
  readonly socket: string;
  readonly logFile: string;
  readonly password: string;
  readonly tcp: Tcp | null;
}): string {
  const settings: readonly (readonly [string, string])[] = [
    ["unixsocket", options.socket],
    ["unixsocketperm", "700"],
    ["requirepass", options.password],
    ["dir", options.directory],
    ["logfile", options.logFile],
    ["daemonize", "no"],
    ["save", ""],
    ["appendonly", "no"],
    ["maxmemory-policy", "noeviction"],
    // An engine's claims: as a table from the start, for in a short list the server searches each of them. (6.2 knows this old
    // name only, and newer ones know it too.)
    ["hash-max-ziplist-entries", "0"],
  ];
  const lines = settings.map(([name, value]) => `${name} ${quoted(value)}\n`);
  return [...lines, ...tcpLines(options.tcp)].join("");
}

function tcpLines(tcp: Tcp | null): string[] {
  if (tcp === null) return ["port 0\n"];
  return [
    `port ${tcp.port}\n`,
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

/** The server reads `"…"` with backslash escapes, so that a path may hold anything. */
function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}
