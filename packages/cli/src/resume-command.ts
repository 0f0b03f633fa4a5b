import { shellWord } from "./wording.js";

/**
 * The command that goes on with what a run has left: its own arguments, and its status file. A list that came as a stream is
 * taken from where it was kept; a status file that was set aside is named where it is now.
 */
export function resumeCommand(run: {
  readonly args: readonly string[];
  readonly taskFile: string;
  readonly statusFile: string;
  readonly spool: string | null;
  readonly setAside: { readonly from: string; readonly to: string } | null;
}): string {
  const args = run.args.map((arg) => {
    if (run.spool !== null && arg === run.taskFile) return run.spool;
    return run.setAside !== null && arg === run.setAside.from ? run.setAside.to : arg;
  });
  // However its old name was written in the arguments: there a new file stands now.
  const aside = run.setAside === null || args.includes(run.setAside.to) ? [] : ["-r", run.setAside.to];
  return ["driver", "-r", run.statusFile, ...aside, ...args].map(shellWord).join(" ");
}
