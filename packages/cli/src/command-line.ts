import { Command, CommanderError, Option } from "commander";
import { expandAbbreviations } from "./abbreviations.js";
import { driverOptions, longName } from "./option-table.js";
import { UsageError } from "./usage-error.js";

/** Values as commander leaves them: text, true, or a list of texts. */
export type RawOptions = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export type CommandLine =
  | { readonly kind: "run"; readonly taskFile: string; readonly options: RawOptions }
  /** `--help`, `--version`: print this and exit with status 0. */
  | { readonly kind: "print"; readonly text: string };

/** Reads the arguments after the program's name. Throws `UsageError`. */
export function parseCommandLine(args: readonly string[], version: string): CommandLine {
  const command = driverCommand();
  let printed = "";
  command.exitOverride().configureOutput({
    writeOut: (text) => {
      printed += text;
    },
    writeErr: () => undefined,
  });
  try {
    command.parse(expandAbbreviations(args), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed" || error.code === "commander.help") {
      return { kind: "print", text: printed };
    }
    throw new UsageError(`${error.message.replace(/^error: /, "")} (driver --help lists the options)`);
  }
  const options = command.opts<Record<string, string | boolean | readonly string[] | undefined>>();
  if (options["version"] === true) return { kind: "print", text: `${version}\n` };
  refuseLaterOptions(command);
  const [taskFile, ...rest] = command.args;
  if (taskFile === undefined) {
    throw new UsageError("no task file: name a file with one command a line, or - for standard input");
  }
  if (rest.length > 0)
    throw new UsageError(`only one task file can be given, and this is one too many: ${rest.join(" ")}`);
  return { kind: "run", taskFile, options };
}

/** The parser, also for its help and for docs/cli.md. */
function driverCommand(): Command {
  const command = new Command("driver")
    .description("Runs the commands of a file, one a line, and tells exactly what happened to each.")
    .argument("[taskfile]", 'file with one command a line ("-" for standard input)')
    .helpOption("-h, --help", "print this and exit")
    .allowExcessArguments()
    .addHelpText("after", "\nExample: driver -s localhost:4 tasks");
  for (const row of driverOptions) {
    const option = new Option(row.flags, row.help);
    if (row.hidden === true || row.origin === "later") option.hideHelp();
    if (row.repeats === true) {
      option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    }
    // `--no-…` is a name here, not a negation with a default of true.
    command.addOption(option);
  }
  return command;
}

/** Long options that disBatch documents and that do not work here yet are named, never ignored. */
function refuseLaterOptions(command: Command): void {
  for (const row of driverOptions) {
    if (row.origin !== "later") continue;
    const option = command.options.find((candidate) => candidate.long === longName(row));
    if (option === undefined) continue;
    if (command.getOptionValueSource(option.attributeName()) !== "cli") continue;
    const retire =
      option.long === "--no-retire" ? "; nothing is retired without it either, leave it out" : "";
    throw new UsageError(`${longName(row)} is an option of disBatch that is not supported yet${retire}`);
  }
}
