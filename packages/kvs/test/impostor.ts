import { type AddressInfo, type Server, type Socket, createServer } from "node:net";
import { type TLSSocket, createServer as createTlsServer } from "node:tls";

/** Listens where somebody else did, and keeps what it is told. */
export interface Impostor {
  readonly port: number;
  /** How often somebody connected. */
  readonly visits: number;
  /** What was said to it: on the wire, or what TLS made of it. */
  readonly heard: Buffer;
  close(): Promise<void>;
}

/** Answers whatever it hears as a server would that is glad of it. With `tls` it speaks that, with its own certificate. */
export async function startImpostor(
  port: number,
  tls?: { readonly certificate: string; readonly key: string },
): Promise<Impostor> {
  const sockets = new Set<Socket | TLSSocket>();
  const heard: Buffer[] = [];
  let visits = 0;
  const meet = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data: Buffer) => {
      heard.push(data);
      socket.write("+OK\r\n");
    });
  };
  const server: Server =
    tls === undefined ? createServer(meet) : createTlsServer({ cert: tls.certificate, key: tls.key }, meet);
  server.on("connection", (socket: Socket) => {
    visits++;
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    get visits() {
      return visits;
    },
    get heard() {
      return Buffer.concat(heard);
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
