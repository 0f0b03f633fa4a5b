import { expandAbbreviations } from "./abbreviations.js";
import { driverOptions } from "./option-table.js";
import { shellWord } from "./wording.js";

/**
 * The command that goes on with what a run has left: its own arguments, and its status file. A list that came as a stream is
 * taken from where it was kept; a status file that was set aside is named where it is now.
 */
export function resumeCommand(run: {
  readonly args: readonly string[];
  /** Null: the tasks came from a program. */
  readonly taskFile: string | null;
  readonly statusFile: string;
  readonly spool: string | null;
  readonly setAside: { readonly from: string; readonly to: string } | null;
}): string {
  const given = run.taskFile === null ? withoutProgram(run.args) : run.args;
  // What a program had handed over stands in a file like any other now.
  const list = run.taskFile === null && run.spool !== null ? [run.spool] : [];
  const args = [...given, ...list].map((arg) => {
    if (run.spool !== null && arg === run.taskFile) return run.spool;
    return run.setAside !== null && arg === run.setAside.from ? run.setAside.to : arg;
  });
  // However its old name was written in the arguments: there a new file stands now.
  const aside = run.setAside === null || args.includes(run.setAside.to) ? [] : ["-r", run.setAside.to];
  return ["driver", "-r", run.statusFile, ...aside, ...args].map(shellWord).join(" ");
}

/** Without the options that say which program the tasks come from. */
function withoutProgram(args: readonly string[]): readonly string[] {
  const left: string[] = [];
  const words = expandAbbreviations(args, driverOptions);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const [name] = word.split("=", 1);
    const next = words[at + 1];
    if (name === "--taskcommand") at += word === name ? 1 : 0;
    else if (name === "--taskserver")
      at += word === name && next !== undefined && !next.startsWith("-") ? 1 : 0;
    else if (name !== "--embedded" && name !== "--json") left.push(word);
  }
  return left;
}
