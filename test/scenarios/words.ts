import type { Outcome } from "@taskmuster/kvs/protocol";

/** Writes down what somebody did. */
export type Say = (who: string, what: string) => void;

/** `7`, or `7.2` for the second attempt at it. */
export function numbered({ id, attempt }: { readonly id: number; readonly attempt: number }): string {
  return attempt === 1 ? String(id) : `${id}.${attempt}`;
}

export function outcomeText(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return `exit ${outcome.code}`;
    case "signalled":
      return `signal ${outcome.signal}`;
    case "failedToStart":
      return `errno ${outcome.errno}`;
    case "timedOut":
      return `timed out, signal ${outcome.signal}`;
    case "lost":
    case "cancelled":
      return outcome.kind;
  }
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
