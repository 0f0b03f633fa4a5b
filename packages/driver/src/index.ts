export { Bell } from "./bell.js";
export { type EndReason, isStop, reasonText } from "./core/end-reason.js";
export type { FailedTask, RunView } from "./core/run-view.js";
export { type TaskPolicy, plainPolicy } from "./core/task-policy.js";
export type { Driver } from "./driver.js";
export type { EngineGone, RunContext, StartingContext } from "./run-context.js";
export { openLog } from "./log.js";
export { openList, readPerEngine, verifyResume } from "./open-list.js";
export { earlierRun } from "./recovery/earlier-run.js";
export { wholeLines } from "./recovery/whole-lines.js";
export type { ListFacts } from "./core/ledger-entry.js";
export { withEarlierFiles } from "./earlier-files.js";
export { ResumeFiles } from "./resume.js";
export { choosePrefix, type RunFiles, runFiles } from "./run-files.js";
export { type ListStore, type ReadyList, type RunSpec, type StartedRun, startRun } from "./start-run.js";
export { type RecoverSpec, recoverRun } from "./recovery/recover-run.js";
export {
  type Remains,
  checkList,
  isUnfinished,
  readRemains,
  usage as usageOfRecovery,
} from "./recovery/remains.js";
export type { ResumeChoice } from "./feeder.js";
export { MailNotifier, SmtpMailer, smtpServerOf } from "./notify/index.js";
export { type KvsList, openKvsList, streamName } from "./task-source/kvs-list.js";
