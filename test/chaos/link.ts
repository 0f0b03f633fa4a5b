import { type Server, type Socket, connect, createServer } from "node:net";

/** Between everybody and the store: connections through it can be reset, refused, held up, or lose an answer. */
export class Link {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #refuses = 0;
  #stalls = 0;
  #answersToLose = 0;

  private constructor(target: string) {
    this.#server = createServer((client) => {
      if (this.#refuses > 0) client.destroy();
      else this.#relay(client, connect(target));
    });
  }

  /** `path`: the socket on which it listens; `target`: the server's. */
  static async open(path: string, target: string): Promise<Link> {
    const link = new Link(target);
    await new Promise<void>((resolve) => {
      link.#server.listen(path, resolve);
    });
    return link;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  reset(chosen: () => boolean): void {
    for (const [client, server] of this.#pairs) {
      if (!chosen()) continue;
      client.destroy();
      server.destroy();
    }
  }

  /** What reaches the server from now on gets no answer, so many times: the connection ends instead. */
  lose(answers: number): void {
    this.#answersToLose += answers;
  }

  /** Until the answered function is called. */
  refuse(): () => void {
    this.#refuses++;
    this.reset(() => true);
    return () => {
      this.#refuses--;
    };
  }

  /** The same; bytes on their way wait, in both directions. */
  stall(): () => void {
    this.#stalls++;
    for (const pair of this.#pairs) for (const socket of pair) socket.pause();
    return () => {
      if (--this.#stalls > 0) return;
      for (const pair of this.#pairs) for (const socket of pair) socket.resume();
    };
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.reset(() => true);
    await closed;
  }

  #relay(client: Socket, server: Socket): void {
    const pair = [client, server] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      server.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    client.on("data", (data) => server.write(data));
    server.on("data", (data) => {
      if (this.#answersToLose > 0) {
        this.#answersToLose--;
        end();
      } else client.write(data);
    });
    if (this.#stalls > 0) for (const socket of pair) socket.pause();
  }
}
