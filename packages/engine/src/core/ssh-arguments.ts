/**
 * Arguments of `ssh` for a session without a terminal that nobody can answer questions of. `bootstrap` is a command for
 * /bin/sh without single quotes, so that any login shell takes the whole apart in the same way.
 *
 * A link that is dead is noticed after about the time after which the engine counts as lost.
 */
export function sshArguments(host: string, leaseMs: number, bootstrap: string): readonly string[] {
  const options = [
    "BatchMode=yes",
    "ConnectTimeout=20",
    `ServerAliveInterval=${Math.max(5, Math.round(leaseMs / 1000 / aliveCount))}`,
    `ServerAliveCountMax=${aliveCount}`,
    // A connection that the user shares is used; but ours must not become the one that others depend on.
    "ControlMaster=no",
    "ClearAllForwardings=yes",
  ];
  return ["-x", "-T", ...options.flatMap((option) => ["-o", option]), host, `exec /bin/sh -c '${bootstrap}'`];
}

const aliveCount = 10;
