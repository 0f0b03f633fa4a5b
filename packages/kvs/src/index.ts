export * from "./errors.js";
export type * from "./store.js";
export { type Credentials, type KvsAddress, addressForEngines, unescaped } from "./address.js";
export { killProcess, startProcess } from "./start-process.js";
export { whyUnsafe } from "./own-directory.js";
export { openPrivateFile } from "./private-file.js";
