export type { ConnectionEvent } from "./connection.js";
export { type RedisStoreOptions, connectRedisStore } from "./store.js";
