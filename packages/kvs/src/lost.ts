import { KvsError, KvsLostError } from "./errors.js";

// Said by every implementation of the store in the same words.

export function runIsOver(): KvsLostError {
  return new KvsLostError("the run is over: the key-value store no longer has it", "gone");
}

export function serverWasReplaced(): KvsLostError {
  return new KvsLostError(
    "the key-value store was restarted or replaced since this run was opened: what it held of the run counts as lost",
    "forgotten",
  );
}

export function engineIsUnknown(): KvsLostError {
  return new KvsLostError(
    "the run does not know this engine: it has to join first, or it has been no member for so long that it was forgotten",
    "unknown",
  );
}

export function requestsAreMany(): KvsError {
  return new KvsError(
    "a thousand requests to the driver wait already; is it still there? try again when it has taken them",
  );
}

/** More than any request that we make. */
export const mostRequestBytes = 65_536;

export function requestIsLarge(): KvsError {
  return new KvsError(`a request to the driver has more than ${mostRequestBytes} bytes`);
}

export function exchangeIsLate(last: number): KvsError {
  return new KvsError(`an exchange came after its successor, number ${last}`);
}
