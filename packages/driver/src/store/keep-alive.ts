import { KvsError } from "@taskmuster/kvs";
import {
  type Keeper,
  type PrivateServer,
  type RunningServer,
  type ServerIdentity,
  restartPrivateServer,
} from "@taskmuster/kvs/server";
import type { Logger } from "pino";
import type { RunFiles } from "../run-files.js";
import { keep } from "../run-store.js";
import { LastingServer } from "./lasting-server.js";

/** A private server that takes connections is started again when it dies. */
export function keepAlive(
  server: RunningServer & {
    /** Null: it is not known any more. */
    readonly identity: ServerIdentity | null;
    /** Null: there is none. */
    readonly binary: string | null;
  },
  keeper: Keeper | null,
  run: {
    readonly keeperScript: string;
    readonly files: Pick<RunFiles, "kvsInfo">;
    readonly leaseMs: number;
    readonly log: Logger;
    readonly checkOurs: () => void;
    readonly onNotice: (message: string) => void;
    readonly onGivenUp: (error: Error) => void;
  },
): LastingServer {
  const { identity, binary } = server;
  const restart = (): PrivateServer => {
    if (binary === null) throw new KvsError("there is no redis-server or valkey-server on PATH");
    if (identity === null) throw new KvsError("only the driver before this one knew how to start it again");
    return restartPrivateServer(binary, identity);
  };
  return new LastingServer(server, keeper, { ...run, restart, keep: (again) => keep(again, run) });
}
