export * from "./errors.js";
export type * from "./store.js";
export { type KvsAddress, unescaped } from "./address.js";
