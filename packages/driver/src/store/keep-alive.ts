import { type Keeper, type PrivateServer, restartPrivateServer } from "@taskmuster/kvs/server";
import type { KvsLostError } from "@taskmuster/kvs";
import type { Logger } from "pino";
import type { RunFiles } from "../run-files.js";
import { keep } from "../run-store.js";
import { LastingServer } from "./lasting-server.js";

/** From when it takes connections on a private server is started again when it dies. Rejects with `KvsError` when it never does. */
export async function keepAlive(
  server: PrivateServer,
  keeper: Keeper | null,
  run: {
    readonly binary: string;
    readonly keeperScript: string;
    readonly files: Pick<RunFiles, "kvsInfo">;
    readonly leaseMs: number;
    readonly log: Logger;
    readonly onNotice: (message: string) => void;
    readonly onGivenUp: (error: KvsLostError) => void;
  },
): Promise<LastingServer> {
  await server.ready;
  const { binary, log, onNotice, onGivenUp } = run;
  return new LastingServer(server, keeper, {
    restart: () => restartPrivateServer(binary, server.identity),
    keep: (again) => keep(again, run),
    log,
    onNotice,
    onGivenUp,
  });
}
