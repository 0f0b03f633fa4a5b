export { type StartTimer, realTimer } from "./bells.js";
export { MemoryServer, type SavedRuns } from "./server.js";
export { MemoryStore } from "./store.js";
