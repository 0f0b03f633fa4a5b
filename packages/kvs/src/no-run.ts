import type { Snapshot } from "./store.js";

/** What a snapshot shows when the run has ended, or never was on this store. */
export const noRunSnapshot: Snapshot = {
  open: false,
  token: 0,
  driverBeat: 0,
  state: new Uint8Array(),
  queued: 0,
  reports: 0,
  wanted: "run",
  contexts: [],
  engines: [],
};
