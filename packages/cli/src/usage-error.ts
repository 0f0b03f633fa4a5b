import { TaskmusterError } from "@taskmuster/kvs";

/** The command line, or the environment in its place, is wrong. Exit status 2. */
export class UsageError extends TaskmusterError {
  override readonly name = "UsageError";

  constructor(message: string) {
    super("E_USAGE", message);
  }
}
