import { FencedError, KvsError, KvsFullError } from "../errors.js";
import {
  engineIsUnknown,
  exchangeIsLate,
  requestIsLarge,
  requestsAreMany,
  runIsOver,
  serverWasReplaced,
} from "../lost.js";
import type { Argument } from "./request.js";
import type { Script } from "./scripts.js";
import { isReply } from "./session.js";

/** Runs one script, in whatever session there is; answers what it answered. */
export type Call = (script: Script, args: readonly Argument[]) => Promise<unknown>;

/** What the scripts refuse with, and what else a server may answer, as our errors. */
export function replyError(error: unknown): unknown {
  if (!isReply(error)) return error;
  const [code, detail] = /\bTM_[A-Z]+\b(?: \d+)?/.exec(error.message)?.[0].split(" ") ?? [];
  switch (code ?? "") {
    case "TM_GONE":
      return runIsOver();
    case "TM_STALE":
      return serverWasReplaced();
    case "TM_UNKNOWN":
      return engineIsUnknown();
    case "TM_FENCED":
      return new FencedError();
    case "TM_FULL":
      return requestsAreMany();
    case "TM_LARGE":
      return requestIsLarge();
    case "TM_SEQ":
      return exchangeIsLate(Number(detail));
    default:
      if (/\bOOM command not allowed/.test(error.message)) return new KvsFullError();
      return new KvsError(`the key-value store refused a request: ${error.message}`);
  }
}
