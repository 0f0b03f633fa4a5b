import { randomBytes } from "node:crypto";
import type { Credentials } from "../address.js";
import type { RunId } from "../protocol/index.js";
import type { ServerCertificate } from "./certificate.js";

/** Where a server listens besides its Unix socket. */
export interface Tcp {
  readonly port: number;
  /** As the server's own setting has it. */
  readonly bind: readonly string[];
  /** As which clients know it. */
  readonly hosts: readonly string[];
  /** Null: the server cannot do TLS. */
  readonly tls: ServerCertificate | null;
}

/**
 * What makes a private server this run's: one that is started again with it is at the same addresses, and lets the same people in, who take it
 * for the same. Holds secrets: it stays in the process that starts the server.
 */
export interface ServerIdentity {
  readonly runId: RunId;
  /** Its own, which only its owner can enter: socket, log, and TLS files while it starts. */
  readonly directory: string;
  readonly tcp: Tcp | null;
  readonly password: string;
  readonly engines: Credentials;
}

export function newIdentity(where: Pick<ServerIdentity, "runId" | "directory" | "tcp">): ServerIdentity {
  return { ...where, password: secret(), engines: { username: "engine", password: secret() } };
}

function secret(): string {
  return randomBytes(24).toString("base64url");
}
