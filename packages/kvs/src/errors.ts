/** Classes by who must act; every code stands in docs/protocol.md. */
export type ErrorCode =
  | "E_USAGE"
  | "E_PREFIX"
  | "E_TASK_FILE"
  | "E_STATUS_FILE"
  | "E_KVS"
  | "E_KVS_LOST"
  | "E_KVS_CLOSED"
  | "E_RUN_OVER"
  | "E_FENCED"
  | "E_MALFORMED"
  | "E_LAUNCH"
  | "E_BUG";

/** The only base class of errors that we raise. The message says what failed, on what, and what to try. */
export class TaskmusterError extends Error {
  override readonly name: string = "TaskmusterError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A message from outside this process is not what the protocol says. */
export class MalformedMessageError extends TaskmusterError {
  override readonly name = "MalformedMessageError";

  constructor(what: string, why: string, options?: ErrorOptions) {
    super("E_MALFORMED", `malformed ${what}: ${why}`, options);
  }
}

/** The key-value store cannot be used: refused, wrong password, too old, evicts keys. A person must act. */
export class KvsError extends TaskmusterError {
  override readonly name = "KvsError";

  constructor(message: string, options?: ErrorOptions) {
    super("E_KVS", message, options);
  }
}

/** The store has no memory left (`maxmemory`); what was asked for has not been done, and may be asked for again. */
export class KvsFullError extends TaskmusterError {
  override readonly name = "KvsFullError";

  constructor() {
    super(
      "E_KVS",
      "the key-value store is full; raise its maxmemory (CONFIG SET maxmemory), or remove what others keep there",
    );
  }
}

/**
 * - `forgotten`: the server is another one than the run was opened on, or was emptied, or waits for this engine's `announce`;
 * - `gone`: it does not have the run; that has ended, or the server was emptied;
 * - `unknown`: it does not know this engine;
 * - `unreachable`: it does not answer, or cannot be started again.
 */
export type KvsLoss = "forgotten" | "gone" | "unknown" | "unreachable";

/** The store forgot what it held (its `run_id` changed), or the run's keys are gone, or it is. */
export class KvsLostError extends TaskmusterError {
  override readonly name = "KvsLostError";
  readonly loss: KvsLoss;

  constructor(message: string, loss: KvsLoss, options?: ErrorOptions) {
    super("E_KVS_LOST", message, options);
    this.loss = loss;
  }
}

/** The store was used after `disconnect`. */
export class KvsClosedError extends TaskmusterError {
  override readonly name = "KvsClosedError";

  constructor() {
    super("E_KVS_CLOSED", "the connection to the key-value store was closed");
  }
}

/** Another driver has taken the run over; this one must stop at once. */
export class FencedError extends TaskmusterError {
  override readonly name = "FencedError";

  constructor(message = "another driver has taken this run over") {
    super("E_FENCED", message);
  }
}
