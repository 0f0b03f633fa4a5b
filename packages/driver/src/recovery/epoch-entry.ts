import { hostname } from "node:os";
import type { KvsAddress } from "@taskmuster/kvs";
import type { LedgerEntry } from "../ledger-file.js";
import { processStamp } from "./process-stamp.js";

/** This process begins to drive the run. `storeHost`: of its private store, if that is not here. */
export function epochEntry(
  at: string,
  token: number,
  address: KvsAddress,
  storeHost = hostname(),
): LedgerEntry {
  return {
    kind: "epoch",
    at,
    token,
    host: hostname(),
    pid: process.pid,
    process: processStamp(process.pid),
    hostOnly: address.addresses.every((each) => each.startsWith("unix:")),
    storeHost: address.private ? storeHost : null,
  };
}
