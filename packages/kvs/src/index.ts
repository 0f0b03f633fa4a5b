export * from "./errors.js";
export * from "./store.js";
export type { KvsAddress } from "./address.js";
