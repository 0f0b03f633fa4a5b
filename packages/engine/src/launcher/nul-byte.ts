import type { LaunchRequest } from "./launcher.js";

/** No argument and no variable can hold one. */
export function holdsNulByte({ command, env }: LaunchRequest): boolean {
  if (command.includes(0)) return true;
  for (const name in env) if (name.includes("\0") || env[name]?.includes("\0") === true) return true;
  return false;
}
