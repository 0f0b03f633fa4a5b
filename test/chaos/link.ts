import { type Server, type Socket, connect, createServer } from "node:net";

/** Between everybody and the store: connections through it can be reset, refused, held up, or lose an answer. */
export class Link {
  readonly #doors = new Set<Server>();
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #refuses = 0;
  #stalls = 0;
  #answersToLose = 0;

  get connections(): number {
    return this.#pairs.size;
  }

  /**
   * Listens on the socket `path` for the server on `target`. `mortal`: as soon as it is seen that nobody listens there any more nobody does here, so that a dead
   * server looks dead from here, too.
   */
  async open(path: string, target: string, how: "mortal" | "lasting"): Promise<void> {
    const door = createServer((client) => {
      if (this.#refuses > 0) return void client.destroy();
      const server = connect(target);
      server.once("error", (error) => {
        const dead = "code" in error && (error.code === "ECONNREFUSED" || error.code === "ENOENT");
        if (dead && how === "mortal") this.#close(door);
      });
      this.#relay(client, server);
    });
    this.#doors.add(door);
    await new Promise<void>((resolve) => {
      door.listen(path, resolve);
    });
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

  close(): void {
    for (const door of this.#doors) this.#close(door);
    this.reset(() => true);
  }

  #close(door: Server): void {
    if (this.#doors.delete(door)) door.close();
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
