export { type StartTimer, realTimer } from "./bells.js";
export { MemoryServer } from "./server.js";
export { MemoryStore } from "./store.js";
