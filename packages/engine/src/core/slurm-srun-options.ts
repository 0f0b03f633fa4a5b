export type SrunOptions =
  | { readonly kind: "options"; readonly options: ReadonlyMap<string, string> }
  | { readonly kind: "bad"; readonly line: number; readonly why: string };

/**
 * Reads the file that `DISBATCH_SLURM_SRUN_OPTIONS_FILE` names: `NAME=VALUE` lines that are put into the environment of
 * `srun`. The value is taken as it stands; empty lines say nothing.
 */
export function parseSrunOptions(text: string): SrunOptions {
  const options = new Map<string, string>();
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.replace(/\r$/, "");
    if (line === "") continue;
    const match = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(line);
    const [, name, value] = match ?? [];
    if (name === undefined || value === undefined || value.includes("\0"))
      return {
        kind: "bad",
        line: index + 1,
        why: `${JSON.stringify(line.slice(0, 80))} is not of the form NAME=VALUE`,
      };
    options.set(name, value);
  }
  return { kind: "options", options };
}
