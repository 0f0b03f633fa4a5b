import type { KvsAddress } from "../../address.js";
import { replyError } from "../call.js";
import { Connection } from "../connection.js";
import type { Script } from "../scripts.js";
import { type Role, runScript } from "../session.js";

/** Beyond the time that the server was told to wait; then the connection counts as dead. */
const graceMs = 3_000;

export interface ListAddress {
  readonly address: KvsAddress;
  readonly role: Role;
}

/** A connection for requests on plain lists. They may be sent twice, so each must be one that may be repeated. */
export class ListConnection {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Throws `KvsError`. */
  static async open({ address, role }: ListAddress): Promise<ListConnection> {
    const connection = new Connection({ address, role });
    await connection.open();
    return new ListConnection(connection);
  }

  get serverRunId(): string {
    return this.#connection.serverRunId;
  }

  async script(script: Script, key: string, args: readonly (string | Buffer | number)[]): Promise<unknown> {
    try {
      return await this.#connection.request((session) => runScript(session, script, key, args));
    } catch (error) {
      throw replyError(error);
    }
  }

  async command(name: string, ...args: readonly (string | Buffer | number)[]): Promise<unknown> {
    try {
      return await this.#connection.request(({ client }) => client.callBuffer(name, ...args));
    } catch (error) {
      throw replyError(error);
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/** A connection of its own for waiting, one wait at a time. */
export class ListWatch {
  readonly #connection: Connection;

  constructor({ address, role }: ListAddress, serverRunId: string) {
    this.#connection = new Connection({ address, role, serverRunId, blocking: true });
  }

  /**
   * Waits until there is something in the list, and takes nothing out: its first element is moved to where it is. May answer early. Rejects
   * with `KvsClosedError` when closed.
   */
  async wait(list: string, timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => this.#connection.restart("no answer in time"), timeoutMs + graceMs);
    let sent = false;
    try {
      await this.#connection.request(async ({ client }) => {
        if (sent) return;
        sent = true;
        await client.call("BLMOVE", list, list, "LEFT", "LEFT", (timeoutMs / 1000).toFixed(3));
      });
    } catch (error) {
      throw replyError(error);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/** What a script answered as a list of strings. */
export function buffersOf(reply: unknown): readonly Buffer[] {
  return Array.isArray(reply) ? reply.filter((each): each is Buffer => Buffer.isBuffer(each)) : [];
}
