export type * from "./item.js";
export { TaskFileParser } from "./parser.js";
export { TaskFileScanner } from "./scanner.js";
