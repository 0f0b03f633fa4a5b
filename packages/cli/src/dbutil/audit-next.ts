import type { Audit } from "@taskmuster/driver/audit";
import { shellWord } from "../wording.js";

/** What to do about it, line by line. */
export function* nextSteps(audit: Audit, taskFile: string): Generator<string> {
  const { state, rows } = audit.parts;
  if (state === "atWork") {
    yield "wait for its end, then audit it again: dbutil status tells how it is doing";
    return;
  }
  const recover = recoverCommand(audit);
  if (recover !== null) yield `${recover}   goes on with it, beside engines that are still at work; or`;
  const failed = rows.counts.failed + rows.counts.skippedFailed;
  const command = resumeCommand(audit, taskFile);
  const may = state === "unknown" ? ", once it is certain that nobody works for this run any more" : "";
  if (audit.missingCount > 0 || !audit.isTotalKnown) {
    yield `${command}   runs what has no row${may}; add the options of that run (-s, -p, …)`;
    if (failed > 0) yield "with -R it runs what failed, too";
  } else if (failed > 0) yield `${command} -R   runs what failed once more${may}`;
  for (const { first, at } of audit.secondRows()) {
    yield `sed -n '${first}p;${at}p' ${shellWord(audit.parts.file.path)}   shows two rows of one task`;
    break;
  }
  if (audit.repeatedCount > 0)
    yield "see whether it does harm that those tasks may have run, in part, before";
}

/** The command that takes the run over; null: it has ended, or too little is known of it. */
export function recoverCommand({ parts }: Audit): string | null {
  const { state, section, file } = parts;
  const { args = null, list = null } = section?.run ?? {};
  if (state === "ended" || state === "atWork" || args === null || list === null || list.kind === "program")
    return null;
  const prefix = file.path.replace(/_status\.txt$/, "");
  return prefix === file.path ? null : ["driver", "--recover", prefix].map(shellWord).join(" ");
}

/** The command that goes on with what is left, but for options that the ledger does not know. */
export function resumeCommand({ parts }: Audit, taskFile: string): string {
  const files = [parts.file.path, ...parts.earlier.map(({ path }) => path)];
  return ["driver", ...files.flatMap((path) => ["-r", path]), taskFile].map(shellWord).join(" ");
}
