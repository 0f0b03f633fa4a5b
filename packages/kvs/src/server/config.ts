/** What a private server is told on its standard input: the secret stands neither in argv nor on disk. */
export function serverConfig(options: {
  readonly directory: string;
  readonly socket: string;
  readonly logFile: string;
  readonly password: string;
}): string {
  const settings: readonly (readonly [string, string])[] = [
    ["port", "0"],
    ["unixsocket", options.socket],
    ["unixsocketperm", "700"],
    ["requirepass", options.password],
    ["dir", options.directory],
    ["logfile", options.logFile],
    ["daemonize", "no"],
    ["save", ""],
    ["appendonly", "no"],
    ["maxmemory-policy", "noeviction"],
  ];
  return settings.map(([name, value]) => `${name} ${quoted(value)}\n`).join("");
}

/** The server reads `"…"` with backslash escapes, so that a path may hold anything. */
function quoted(value: string): string {
  return `"${value.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r")}"`;
}
