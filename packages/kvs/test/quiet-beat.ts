import type { Beat } from "@taskmuster/kvs";

/** A driver that has nothing to tell, and has taken no request. */
export const quietBeat: Beat = { state: new Uint8Array(), handled: 0 };
