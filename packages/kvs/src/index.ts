export * from "./errors.js";
export type * from "./store.js";
export type { KvsAddress } from "./address.js";
