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
    case "fenced":
    case "broken":
      return 1;
    case "drained":
    case "stopped":
      return exitCodeOfSignal(reason.signal);
    case "finished":
    case undefined: {
      const failed = view.failed + view.skippedFailed + view.perEngineFailed > 0;
      return options.exitCode && failed ? 1 : 0;
    }
  }
}

/** `by`: a signal, or a person with `dbutil`, who ends a run early like anything else. */
export function exitCodeOfSignal(by: string): number {
  const number = signalNumbers[by];
  return number === undefined ? 1 : 128 + number;
}

/** Exit status of a run that could not begin. */
export function exitCodeOfError(error: unknown): number {
  return error instanceof TaskmusterError && error.code === "E_USAGE" ? 2 : 1;
}

const signalNumbers: Readonly<Record<string, number>> = {
  "Ctrl-C": 2,
  SIGINT: 2,
  SIGTERM: 15,
  SIGHUP: 1,
  SIGUSR1: 10,
  SIGUSR2: 12,
};
