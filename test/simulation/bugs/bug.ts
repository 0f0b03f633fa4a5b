import type { KvsStore } from "@taskmuster/kvs";
import type { LastingStore } from "../../../packages/driver/src/store/lasting-store.js";
import type { Host } from "../time/process.js";
import type { Request } from "../wire/link.js";
import type { Desk } from "../wire/store-server.js";

/** What is wrong with a simulated world: each is a wrapper around one of its ports. */
export interface Bug {
  readonly desk?: Desk;
  /** Changes a request before it is sent again. */
  readonly resend?: (request: Request) => void;
  /** What the driver takes for the store. */
  readonly driverStore?: (store: KvsStore, host: Host) => KvsStore;
  /** Changes what the driver's store is in all its lives. */
  readonly lasting?: (store: LastingStore) => void;
  readonly engineStore?: (store: KvsStore) => KvsStore;
  readonly diskLiesAboutSync?: boolean;
  /** What the driver takes for the lease. */
  readonly driverLease?: (ms: number) => number;
  readonly guardianIgnoresDeadline?: boolean;
  readonly trustsWall?: "engine" | "driver";
}
