export * from "./engine.js";
export type * from "./exchange.js";
export * from "./ids.js";
export * from "./needs.js";
export * from "./report.js";
export * from "./run.js";
export * from "./task.js";
export * from "./version.js";
