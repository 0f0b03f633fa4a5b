import { createServer } from "node:net";

/** A TCP port that is free on all interfaces at this moment; somebody may take it in the next. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ port: 0, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === "object" && address !== null) resolve(address.port);
        else reject(new Error("the system named no port"));
      });
    });
  });
}
