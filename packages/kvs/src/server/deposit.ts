import * as z from "zod/mini";
import { type KvsAddress, parseEndpoint } from "../address.js";
import { type Session, startSession } from "../redis/session.js";
import type { Tcp } from "./identity.js";

/*
 * What whoever takes a run over must know to start its private server again as the same, and finds nowhere else: it is kept in that server,
 * where only the run's owner can read it, and never on a disk.
 */

/** Not of a run: engines have no way to it. */
const key = "taskmuster:server";

const schema = z.object({
  port: z.number(),
  bind: z.array(z.string()),
  hosts: z.array(z.string()),
  tls: z.nullable(z.object({ certificate: z.string(), key: z.string() })),
});

/** Leaves it in the server itself, which takes connections. Does not throw: without it that server cannot be started again by others. */
export async function deposit(address: KvsAddress, tcp: Tcp): Promise<void> {
  await ask(address, ({ client }) => client.call("SET", key, JSON.stringify(tcp)));
}

/** Null: there is none, or it is not one. Rejects when the connection breaks. */
export async function deposited({ client }: Session): Promise<Tcp | null> {
  const text = await client.call("GET", key);
  if (typeof text !== "string") return null;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Over the socket of a private server of this host. Null: it does not answer, or refuses. */
export async function ask<Answer>(
  address: KvsAddress,
  question: (session: Session, socket: string) => Promise<Answer>,
): Promise<Answer | null> {
  for (const each of address.addresses) {
    const endpoint = parseEndpoint(each);
    if (endpoint.kind !== "unix") continue;
    const result = await startSession(endpoint, address, {
      role: "driver",
      connectTimeoutMs: 2_000,
      blocking: false,
      signal: AbortSignal.timeout(5_000),
    });
    if (result.kind !== "session") continue;
    try {
      return await question(result.session, endpoint.path);
    } catch {
      return null;
    } finally {
      result.session.client.disconnect();
    }
  }
  return null;
}
