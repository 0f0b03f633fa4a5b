import { Command, CommanderError, Option } from "commander";
import { expandAbbreviations } from "./abbreviations.js";
import { type OptionRow, contextOptions, driverOptions } from "./option-table.js";
import { UsageError } from "./usage-error.js";

/** Values as commander leaves them: text, true, or a list of texts. */
export type RawOptions = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export type CommandLine =
  | {
      readonly kind: "run";
      /** Null: none was named. */
      readonly taskFile: string | null;
      readonly options: RawOptions;
    }
  /** `--help`, `--version`: print this and exit with status 0. */
  | { readonly kind: "print"; readonly text: string };

/** Reads the arguments of `driver`. Throws `UsageError`. */
export function parseCommandLine(args: readonly string[], version: string): CommandLine {
  const command = withOptions(new Command("driver"), driverOptions)
    .description("Runs the commands of a file, one a line, and tells exactly what happened to each.")
    .argument("[taskfile]", 'file with one command a line ("-" for standard input)')
    .addHelpText("after", "\nExample: driver -s localhost:4 tasks");
  const parsed = parse(command, args, driverOptions);
  if (parsed.kind === "print") return parsed;
  if (parsed.options["version"] === true) return { kind: "print", text: `${version}\n` };
  const [taskFile = null, ...rest] = parsed.words;
  if (rest.length > 0)
    throw new UsageError(`only one task file can be given, and this is one too many: ${rest.join(" ")}`);
  return { kind: "run", taskFile, options: parsed.options };
}

/** Reads the arguments of `dbUtil.sh`, where it adds a context. Throws `UsageError`. */
export function parseContextLine(
  args: readonly string[],
):
  { readonly kind: "run"; readonly options: RawOptions } | { readonly kind: "print"; readonly text: string } {
  const rows = [...contextOptions, runOption];
  const command = withOptions(new Command("dbUtil.sh"), rows)
    .description("Adds resources to a run: the allocation that it runs in, or hosts.")
    .addHelpText("after", "\nExamples: sbatch -n 40 dbUtil.sh; ./dbUtil.sh -s localhost:4,friend:5");
  const parsed = parse(command, args, rows);
  if (parsed.kind === "print") return parsed;
  const [word] = parsed.words;
  if (word === undefined) return { kind: "run", options: parsed.options };
  throw new UsageError(
    `${JSON.stringify(word)} is neither an option nor one of --mon, status, retire, stop, add (--help tells more)`,
  );
}

const runOption: OptionRow = {
  origin: "ours",
  flags: "--run <run>",
  help: "the run that is meant: a prefix, a dbUtil.sh, or a directory (the newest run in it)",
};

function withOptions(command: Command, rows: readonly OptionRow[]): Command {
  command.helpOption("-h, --help", "print this and exit").allowExcessArguments();
  for (const row of rows) {
    const option = new Option(row.flags, row.help);
    if (row.hidden === true) option.hideHelp();
    if (row.repeats === true) {
      option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    }
    command.addOption(option);
  }
  return command;
}

type Parsed =
  | { readonly kind: "parsed"; readonly words: readonly string[]; readonly options: RawOptions }
  | { readonly kind: "print"; readonly text: string };

function parse(command: Command, args: readonly string[], rows: readonly OptionRow[]): Parsed {
  let printed = "";
  command.exitOverride().configureOutput({
    writeOut: (text) => {
      printed += text;
    },
    writeErr: () => undefined,
  });
  try {
    command.parse(expandAbbreviations(args, rows), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed" || error.code === "commander.help") {
      return { kind: "print", text: printed };
    }
    throw new UsageError(`${error.message.replace(/^error: /, "")} (--help lists the options)`);
  }
  return { kind: "parsed", words: command.args, options: command.opts<RawOptions>() };
}
