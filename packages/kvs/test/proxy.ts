import { rmSync } from "node:fs";
import { type Server, type Socket, connect, createServer } from "node:net";

/** Stands between client and server, and breaks connections at the worst moment. */
export class Proxy {
  readonly socket: string;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  /** Requests that reach the server and whose answer does not come back: the connection ends instead. */
  answersToLose = 0;
  /** New connections are closed at once. */
  refusing = false;
  connections = 0;

  private constructor(socket: string, target: string) {
    this.socket = socket;
    this.#server = createServer((client) => {
      this.connections++;
      if (this.refusing) {
        client.destroy();
        return;
      }
      this.#relay(client, connect(target));
    });
  }

  static async start(socket: string, target: string): Promise<Proxy> {
    const proxy = new Proxy(socket, target);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(socket, resolve);
    });
    return proxy;
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#open) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
    rmSync(this.socket, { force: true });
  }

  #relay(client: Socket, server: Socket): void {
    const end = (): void => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#open.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        this.#open.delete(socket);
        end();
      });
    }
    client.on("data", (data) => server.write(data));
    server.on("data", (data) => {
      if (this.answersToLose > 0) {
        this.answersToLose--;
        end();
        return;
      }
      client.write(data);
    });
  }
}
