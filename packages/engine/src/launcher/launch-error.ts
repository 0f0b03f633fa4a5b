import { TaskmusterError } from "@taskmuster/kvs";

/** Tasks cannot be run on this node at all. */
export class LaunchError extends TaskmusterError {
  override readonly name = "LaunchError";

  constructor(message: string, options?: ErrorOptions) {
    super("E_LAUNCH", message, options);
  }
}
