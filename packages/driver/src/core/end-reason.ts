/** Why a run ended. Only `finished` means that every line of the list was worked through. */
export type EndReason =
  | { readonly kind: "finished" }
  /** Soft stop by a signal or a person: what ran has ended, the rest was not started. */
  | { readonly kind: "drained"; readonly signal: string }
  /** Hard stop: what ran was stopped. */
  | { readonly kind: "stopped"; readonly signal: string }
  | { readonly kind: "failFast"; readonly id: number; readonly line: number }
  | { readonly kind: "barrierCheck"; readonly id: number; readonly line: number }
  /** No engine is left and none will come. */
  | { readonly kind: "noEngines"; readonly message: string }
  /** The list cannot be read on: a bad directive in a stream, a read error, a resume that does not match. */
  | { readonly kind: "badInput"; readonly message: string }
  /** Another driver has taken the run over, which goes on with it. */
  | { readonly kind: "fenced" }
  /** A row cannot be written, or the store is lost. */
  | { readonly kind: "broken"; readonly message: string };

/** For people, null: the list was worked through. */
export function reasonText(reason: EndReason | null): string | null {
  switch (reason?.kind) {
    case undefined:
    case "finished":
      return null;
    case "drained":
      return `Stopped early by ${reason.signal}: what ran has ended, the rest was not started.`;
    case "stopped":
      return `Stopped by ${reason.signal}: what ran was stopped and has no row in the status file.`;
    case "failFast":
      return `Quitting early due to task failure with --fail-fast (line ${reason.line}).`;
    case "barrierCheck":
      return `Stopped at the BARRIER CHECK of line ${reason.line}: a task before it failed.`;
    case "noEngines":
      return `No engine is left, and none will come${reason.message === "" ? "." : `: ${reason.message}`}`;
    case "badInput":
      return reason.message;
    case "fenced":
      return "Another driver has taken this run over, and goes on with it. This one has stopped nothing, and writes nothing more.";
    case "broken":
      return `The run was broken off: ${reason.message}`;
  }
}

/** What stopped a task, in a word or two; empty: nothing that the run as a whole knows of. */
export function stopWords(reason: EndReason | null): string {
  switch (reason?.kind) {
    case undefined:
    case "finished":
    case "badInput":
      return "";
    case "drained":
    case "stopped":
      return reason.signal;
    case "failFast":
      return "--fail-fast";
    case "barrierCheck":
      return "BARRIER CHECK";
    case "noEngines":
      return "no engine left";
    case "fenced":
    case "broken":
      return "the run was broken off";
  }
}

/** A stronger reason replaces a weaker one: a drain may become a stop, a stop stays one. */
export function isStop(reason: EndReason): boolean {
  switch (reason.kind) {
    case "finished":
    case "drained":
    case "badInput":
      return false;
    case "stopped":
    case "failFast":
    case "barrierCheck":
    case "noEngines":
    case "fenced":
    case "broken":
      return true;
  }
}
