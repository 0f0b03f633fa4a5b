import type { Endpoint, KvsAddress } from "../address.js";
import { KvsError } from "../errors.js";

/** Why a session could not be started. */
export interface Refusal {
  readonly kind: "refusal";
  /** `redis://host:6379: connection refused` */
  readonly message: string;
  /** True: it may work in a moment (the server is being started). False: a person must change something. */
  readonly passing: boolean;
  readonly cause: unknown;
}

/** Turns whatever ioredis, the system or the server said into words. */
export function refusalOf(cause: unknown, endpoint: Endpoint, address: KvsAddress): Refusal {
  const { why, passing } = explain(cause, endpoint, address);
  return { kind: "refusal", message: `${endpoint.text}: ${why}`, passing, cause: withoutCommand(cause) };
}

/** ioredis hangs the refused command on its errors, with the password if that was AUTH; a logger would show it. */
function withoutCommand(cause: unknown): unknown {
  return cause instanceof Error && "command" in cause ? new Error(cause.message) : cause;
}

function explain(cause: unknown, endpoint: Endpoint, address: KvsAddress): { why: string; passing: boolean } {
  if (cause instanceof KvsError) return { why: cause.message, passing: false };
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (error.name === "ReplyError") return explainReply(error.message, address);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  switch (code) {
    case "ECONNREFUSED":
      return { why: "connection refused; is the server running there?", passing: true };
    case "ENOENT":
      return { why: "there is no such socket; is the server running on this machine?", passing: true };
    case "EACCES":
    case "EPERM":
      return { why: `access denied (${code}); a socket can be used by its owner only`, passing: false };
    case "ENOTFOUND":
      return { why: "no such host", passing: false };
    case "EAI_AGAIN":
      return { why: "the host's name cannot be looked up just now", passing: true };
    case "ETIMEDOUT":
      return { why: "no answer; is a firewall between?", passing: true };
    default:
      return { why: explainOther(error, endpoint), passing: true };
  }
}

function explainOther(error: Error, endpoint: Endpoint): string {
  if (error.message.startsWith("Connection is closed")) {
    return endpoint.kind === "tcp" && !endpoint.tls
      ? "the server closed the connection at once; does it want TLS (rediss://)?"
      : "the server closed the connection at once";
  }
  return error.message.startsWith("Socket timeout")
    ? "it takes connections and does not answer"
    : error.message;
}

function explainReply(message: string, address: KvsAddress): { why: string; passing: boolean } {
  if (/^(NOAUTH|.*Authentication required)/.test(message)) {
    return {
      why: "it wants a password; set TASKMUSTER_KVS_PASSWORD, or name a file in TASKMUSTER_KVS_PASSWORD_FILE",
      passing: false,
    };
  }
  if (/^(WRONGPASS|ERR invalid password)/.test(message)) {
    const user = address.username === undefined ? "" : ` for user ${address.username}`;
    return {
      why: `wrong password${user}; look at TASKMUSTER_KVS_PASSWORD or TASKMUSTER_KVS_PASSWORD_FILE`,
      passing: false,
    };
  }
  if (message.startsWith("NOPERM"))
    return { why: `the user may not do what is needed (${message})`, passing: false };
  if (/^(LOADING|MASTERDOWN|BUSY|TRYAGAIN|CLUSTERDOWN)/.test(message)) return { why: message, passing: true };
  return { why: message, passing: false };
}

/** One error for all addresses that were tried. */
export function refusedError(refusals: readonly Refusal[]): KvsError {
  const [only] = refusals;
  const cause = only?.cause;
  if (refusals.length === 1 && only !== undefined) {
    return new KvsError(`cannot use the key-value store at ${only.message}`, { cause });
  }
  const all = refusals.map(({ message }) => `\n  ${message}`).join("");
  return new KvsError(`cannot use the key-value store at any of its addresses:${all}`, { cause });
}
