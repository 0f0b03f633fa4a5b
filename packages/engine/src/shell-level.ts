/**
 * To be called before anything is started. A bash that finds `SSH_CLIENT` and no other shell above it takes itself for the shell of a remote
 * login, and reads the user's `.bashrc`: so it would be for each task of an engine that was started by ssh (whose shell has replaced
 * itself by us, and so lowered the level again), and nowhere else. We have what a login sets; once is enough.
 */
export function settleShellLevel(env: NodeJS.ProcessEnv): void {
  if (!(Number.parseInt(env["SHLVL"] ?? "", 10) >= 1)) env["SHLVL"] = "1";
}
