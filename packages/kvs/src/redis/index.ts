export type { ConnectionEvent } from "./connection.js";
export { type RedisStoreOptions, connectRedisStore } from "./store.js";
export { type PublishedResult, type SignIn, TaskChannel, TaskClient } from "./embedding/index.js";
