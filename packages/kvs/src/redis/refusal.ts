import type { Endpoint, KvsAddress } from "../address.js";
import { KvsError } from "../errors.js";
import { explainTls } from "./tls.js";

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
  const tls = explainTls(code, error.message, address);
  if (tls !== null) return { why: tls, passing: false };
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
      return { why: `no answer (ETIMEDOUT); is a firewall between${orNoTls(endpoint)}?`, passing: true };
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return { why: `there is no way to that host (${code})`, passing: true };
    default:
      // What the parser of ioredis says to any other protocol.
      if (error.message.startsWith("Unknown RESP type")) return notRedis;
      return { why: explainOther(error, endpoint), passing: true };
  }
}

/** A server without TLS waits for more of what it takes for a request. */
function orNoTls(endpoint: Endpoint): string {
  return endpoint.kind === "tcp" && endpoint.tls ? ", or does it not speak TLS" : "";
}

const notRedis = { why: "something that is no key-value store listens there", passing: false };

function explainOther(error: Error, endpoint: Endpoint): string {
  if (error.message.includes("before secure TLS connection")) {
    return "the server ended the connection before TLS was agreed upon; does it want redis://?";
  }
  if (/^Connection is closed|ECONNRESET|EPIPE/.test(error.message)) {
    return endpoint.kind === "tcp" && !endpoint.tls
      ? "the server closed the connection at once; does it want TLS (rediss://)?"
      : "the server closed the connection at once";
  }
  return error.message.startsWith("Socket timeout")
    ? "it takes connections and does not answer"
    : error.message || error.name;
}

function explainReply(message: string, address: KvsAddress): { why: string; passing: boolean } {
  if (/^(NOAUTH|.*Authentication required)/.test(message)) {
    return {
      why: "it wants a password; set TASKMUSTER_KVS_PASSWORD, or name a file in TASKMUSTER_KVS_PASSWORD_FILE",
      passing: false,
    };
  }
  if (/^(WRONGPASS|ERR invalid password)/.test(message)) {
    if (address.private) return { why: "wrong password: it is not this run's server", passing: false };
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

/** One error for all addresses that were tried, from the host that is named. */
export function refusedError(refusals: readonly Refusal[], address: KvsAddress, host: string): KvsError {
  const [only] = refusals;
  const cause = only?.cause;
  // One that the user named on this host needs no more words.
  if (refusals.length === 1 && only !== undefined && !address.private) {
    return new KvsError(`cannot use the key-value store at ${only.message}${advice(address)}`, { cause });
  }
  const all = refusals.map(({ message }) => `\n  ${message}`).join("");
  return new KvsError(`cannot reach the run's key-value store from ${host}:${all}${advice(address)}`, {
    cause,
  });
}

function advice(address: KvsAddress): string {
  if (!address.private) return "";
  return address.addresses.every((each) => each.startsWith("unix:"))
    ? "\nThis run takes engines on its driver's host only; start the driver with -S, or with --use-address HOST:PORT, for others"
    : "\nIf this host reaches the driver's by another address, start the driver with --use-address HOST:PORT";
}
