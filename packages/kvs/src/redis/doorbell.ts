import { Connection, type ConnectionOptions } from "./connection.js";

/** Beyond the time that the server was told to wait; then the connection counts as dead. */
const graceMs = 3_000;
const longestWaitMs = 600_000;

/**
 * Waits for bells. Each wait has a connection of its own (a blocked one answers nothing else), kept for the next wait, and
 * thrown away when the server breaks its promise to answer in time.
 */
export class Doorbell {
  readonly #options: ConnectionOptions;
  readonly #free: Connection[] = [];
  readonly #all = new Set<Connection>();

  constructor(options: ConnectionOptions) {
    this.#options = { ...options, blocking: true };
  }

  async wait(bell: string, timeoutMs: number): Promise<"rung" | "timeout"> {
    const waitMs = Math.min(Math.max(timeoutMs, 1), longestWaitMs);
    const connection = this.#free.pop() ?? this.#connect();
    let timer: NodeJS.Timeout | undefined;
    const breach = new Promise<"breach">((resolve) => {
      timer = setTimeout(resolve, waitMs + graceMs, "breach");
    });
    try {
      const outcome = await Promise.race([this.#listen(connection, bell, waitMs), breach]);
      if (outcome !== "breach") {
        this.#free.push(connection);
        return outcome;
      }
    } catch (error) {
      await this.#throwAway(connection);
      throw error;
    } finally {
      clearTimeout(timer);
    }
    await this.#throwAway(connection);
    return "timeout";
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((connection) => this.#throwAway(connection)));
  }

  #connect(): Connection {
    const connection = new Connection(this.#options);
    this.#all.add(connection);
    return connection;
  }

  #listen(connection: Connection, bell: string, waitMs: number): Promise<"rung" | "timeout"> {
    const started = performance.now();
    let sent = false;
    return connection.request(async ({ client }) => {
      // The connection broke while we waited: the ring may have gone down with it.
      if (sent) return "rung";
      sent = true;
      // Even when connecting took all the time, a bell that hangs is found. 0 would mean for ever, and Redis 6.2 rounds 0.001 s
      // down to that.
      const leftMs = Math.max(waitMs - (performance.now() - started), 2);
      return (await client.call("BLPOP", bell, (leftMs / 1000).toFixed(3))) === null ? "timeout" : "rung";
    });
  }

  async #throwAway(connection: Connection): Promise<void> {
    this.#all.delete(connection);
    await connection.close();
  }
}
