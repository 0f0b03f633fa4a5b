import { TaskmusterError } from "../errors.js";

/** Did the connection break (then the request is sent again), or did we make a mistake (then that would go on for ever)? */
export function isBreak(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TaskmusterError) return false;
  // Node's own have codes too.
  if (error instanceof TypeError || error instanceof RangeError) return false;
  return (
    "syscall" in error ||
    "code" in error ||
    error.name === "AbortError" ||
    /^(Connection is closed|Stream isn't writeable|Socket timeout)/.test(error.message)
  );
}
