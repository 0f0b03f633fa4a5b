import type { RunView } from "@taskmuster/driver";
import { TaskmusterError } from "@taskmuster/kvs";

/** Exit status of a run that has ended; see docs/cli.md. */
export function exitCodeOf(view: RunView, options: { readonly exitCode: boolean }): number {
  const { reason } = view;
  switch (reason?.kind) {
    case "failFast":
    case "barrierCheck":
    case "noEngines":
    case "badInput":
    case "broken":
      return 1;
    case "drained":
    case "stopped":
      return 128 + (signalNumbers[reason.signal] ?? 15);
    case "finished":
    case undefined: {
      const failed = view.failed + view.skippedFailed + view.perEngineFailed > 0;
      return options.exitCode && failed ? 1 : 0;
    }
  }
}

/** Exit status of a run that could not begin. */
export function exitCodeOfError(error: unknown): number {
  return error instanceof TaskmusterError && error.code === "E_USAGE" ? 2 : 1;
}

const signalNumbers: Readonly<Record<string, number>> = { "Ctrl-C": 2, SIGINT: 2, SIGTERM: 15, SIGHUP: 1 };
