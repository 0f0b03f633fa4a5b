import { dirname } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import type { Endpoint, KvsAddress } from "../address.js";
import { KvsError } from "../errors.js";
import { whyNotOurs } from "../own-directory.js";
import { ByteWriter } from "../protocol/index.js";
import { type Refusal, refusalOf } from "./refusal.js";
import { type Argument, WrittenCommand, writeRequest } from "./request.js";
import type { Script } from "./scripts.js";
import { checkServerInfo, parseServerInfo } from "./server-info.js";
import { tlsOptions } from "./tls.js";

/** One connection to one life of a server, from connecting to its end. Never nursed: when it breaks there is a next one. */
export interface Session {
  readonly client: Redis;
  /** Of the server; another one is another life, which remembers nothing. */
  readonly serverRunId: string;
  /** Scripts that this session has sent in full. */
  readonly sent: Set<Script>;
  /** Memory of requests that have been answered, for those to come. */
  readonly writers: ByteWriter[];
}

export type Role = "driver" | "context" | "engine" | "monitor" | "keeper" | "client";

/** No answer for so long, with requests under way: the connection counts as dead. */
const silenceMs = 20_000;
/** How long closing may take before the socket is destroyed. */
const disconnectTimeoutMs = 200;

function clientOptions(
  endpoint: Endpoint,
  address: KvsAddress,
  { connectTimeoutMs, blocking }: { readonly connectTimeoutMs: number; readonly blocking: boolean },
) {
  const tls = tlsOptions(endpoint, address);
  const where =
    endpoint.kind === "unix"
      ? { path: endpoint.path }
      : { host: endpoint.host, port: endpoint.port, ...(tls === undefined ? {} : { tls }) };
  return {
    ...where,
    protocol: 2,
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: disconnectTimeoutMs,
    // We reconnect ourselves: nothing may be sent on a new connection before we know which server it is.
    retryStrategy: null,
    maxRetriesPerRequest: null,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    disableClientInfo: true,
    // A blocking request is silent on purpose and has its own deadline.
    ...(blocking ? {} : { socketTimeout: silenceMs }),
  } satisfies RedisOptions;
}

/**
 * Connects, signs in and looks whether the server can be used; a refusal is a value. The caller adds a listener
 * for "end" to the session's client.
 */
export async function startSession(
  endpoint: Endpoint,
  address: KvsAddress,
  options: {
    readonly role: Role;
    readonly connectTimeoutMs: number;
    readonly blocking: boolean;
    readonly signal: AbortSignal;
    /** Somebody is there; whether it is the server, and takes us, is not known yet. */
    readonly onConnected?: () => void;
  },
): Promise<{ readonly kind: "session"; readonly session: Session } | Refusal> {
  let client: Redis;
  try {
    checkSocket(endpoint, address);
    client = new Redis(clientOptions(endpoint, address, options));
  } catch (error) {
    return refusalOf(error, endpoint, address);
  }
  const giveUp = () => {
    client.disconnect();
  };
  options.signal.addEventListener("abort", giveUp, { once: true });
  // ioredis rejects `connect` with "Connection is closed"; the reason comes as an event.
  let reason: unknown;
  client.on("error", (error) => {
    reason ??= error;
  });
  // Even one that may be silent on purpose later has to answer now.
  const patience = setTimeout(() => {
    reason ??= new Error("Socket timeout. It took too long to sign in.");
    client.disconnect();
  }, options.connectTimeoutMs + silenceMs);
  try {
    await client.connect();
    options.onConnected?.();
    const server = parseServerInfo(await signIn(client, endpoint, address, options.role));
    if (server.loading) throw new Error("it is still loading its data");
    checkServerInfo(server);
    return { kind: "session", session: { client, serverRunId: server.runId, sent: new Set(), writers: [] } };
  } catch (error) {
    client.disconnect();
    return refusalOf(
      error instanceof KvsError || isReply(error) ? error : (reason ?? error),
      endpoint,
      address,
    );
  } finally {
    clearTimeout(patience);
    options.signal.removeEventListener("abort", giveUp);
  }
}

/** Whoever made a directory of the same name after the server's was gone is not to be told anything. */
function checkSocket(endpoint: Endpoint, address: KvsAddress): void {
  const why = address.private && endpoint.kind === "unix" ? whyNotOurs(dirname(endpoint.path)) : null;
  if (why !== null) throw new KvsError(`it may be somebody else's: ${why}`);
}

/** Answers what INFO says. Not through ioredis's own options: it writes to the console when the server needs no password. */
async function signIn(client: Redis, endpoint: Endpoint, address: KvsAddress, role: Role): Promise<string> {
  const steps: Promise<unknown>[] = [];
  if (address.password !== undefined) {
    const user = address.username === undefined ? [] : [address.username];
    steps.push(
      client.call("AUTH", ...user, address.password).catch(address.private ? refuseNeedless : ignoreNeedless),
    );
  }
  if (endpoint.db !== 0) steps.push(client.call("SELECT", endpoint.db));
  const info = client.call("INFO");
  steps.push(info);
  // For people who look at CLIENT LIST; nothing depends on it.
  steps.push(client.call("CLIENT", "SETNAME", `taskmuster-${role}`).catch(() => undefined));
  // They went out together, and when the first is refused so are the others: the first says why.
  const results = await Promise.allSettled(steps);
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return String(await info);
}

function ignoreNeedless(error: unknown): void {
  if (!isNeedless(error)) throw error;
}

/** A server that we started has a password. */
function refuseNeedless(error: unknown): never {
  throw isNeedless(error) ? new KvsError("another server listens there, one without a password") : error;
}

function isNeedless(error: unknown): boolean {
  return error instanceof Error && /without any password configured|no password is set/.test(error.message);
}

/** The server answered with an error: the connection itself is sound. */
export function isReply(error: unknown): error is Error {
  return error instanceof Error && error.name === "ReplyError";
}

/** Runs a script. The first time in full: then those that follow in the same pipeline find it loaded. */
export async function runScript(
  session: Session,
  script: Script,
  key: string,
  args: readonly Argument[],
): Promise<unknown> {
  if (!session.sent.has(script)) {
    session.sent.add(script);
    return send(session, "EVAL", ["EVAL", script.text, 1, key, ...args]);
  }
  try {
    return await send(session, "EVALSHA", ["EVALSHA", script.sha, 1, key, ...args]);
  } catch (error) {
    if (!isReply(error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return send(session, "EVAL", ["EVAL", script.text, 1, key, ...args]);
  }
}

async function send(
  { client, writers }: Session,
  name: string,
  parts: readonly Argument[],
): Promise<unknown> {
  const writer = writers.pop() ?? new ByteWriter(usualRequestBytes);
  try {
    writeRequest(writer, parts);
    return await client.sendCommand(new WrittenCommand(name, writer.written));
  } finally {
    // There is an answer, so the server has read it all; or this session is over.
    if (writer.length <= mostKeptBytes) {
      writer.clear();
      writers.push(writer);
    }
  }
}

const usualRequestBytes = 1024;
const mostKeptBytes = 256 * 1024;
