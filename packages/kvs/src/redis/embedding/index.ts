export type { SignIn } from "./names.js";
export { type PublishedResult, TaskChannel } from "./task-channel.js";
export { TaskClient } from "./task-client.js";
