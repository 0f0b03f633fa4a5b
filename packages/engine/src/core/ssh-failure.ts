/** How far an ssh session came: it never reached the host, or it was lost before the engine's end was seen. */
export type SshStage = "connecting" | "running";

/** Why there is no session (any more), in ssh's own words, and what may help. */
export function sshFailure(host: string, stage: SshStage, how: string, lines: readonly string[]): string {
  const known = hints.find(({ sign }) => lines.some((line) => sign.test(line)));
  const own = known === undefined ? null : lines.find((line) => known.sign.test(line));
  const words = own ?? lines.slice(-2).join(" ");
  const said = words === "" ? `ssh ended with ${how}` : words.replace(/\.$/, "");
  if (stage === "running") return `lost the ssh session to ${host}: ${said}`;
  const hint = known === undefined ? "" : `; ${known.hint(host)}`;
  return `cannot reach ${host}: ${said}${hint}`;
}

interface Hint {
  readonly sign: RegExp;
  readonly hint: (host: string) => string;
}

const hints: readonly Hint[] = [
  { sign: /Host key verification failed/i, hint: (host) => `log in once by hand: ssh ${host}` },
  { sign: /REMOTE HOST IDENTIFICATION HAS CHANGED/i, hint: (host) => `log in once by hand: ssh ${host}` },
  {
    sign: /Permission denied|Too many authentication failures|No supported authentication methods/i,
    hint: (host) => `a login without a password is needed; try: ssh -o BatchMode=yes ${host} true`,
  },
  { sign: /Could not resolve hostname|Name or service not known/i, hint: () => "check the name" },
  { sign: /Connection refused/i, hint: () => "does an ssh server run there?" },
  {
    sign: /timed out|timeout|No route to host|Network is unreachable|not responding/i,
    hint: () => "is it up, and can it be reached from here?",
  },
];
