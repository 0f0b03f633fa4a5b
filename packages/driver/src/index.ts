export { Bell } from "./bell.js";
export { type EndReason, isStop } from "./core/end-reason.js";
export type { FailedTask, RunView } from "./core/run-view.js";
export { Driver, type RunContext } from "./driver.js";
export { openList, readPerEngine, verifyResume } from "./open-list.js";
export { ResumeFiles } from "./resume.js";
export { choosePrefix, type RunFiles, runFiles } from "./run-files.js";
export { type RunSpec, type StartedRun, type StartingContext, startRun } from "./start-run.js";
export type { ResumeChoice } from "./feeder.js";
