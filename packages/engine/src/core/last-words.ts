/** What a process said: its first and its last lines, whatever the amount. */
export class LastWords {
  readonly #first: string[] = [];
  #last: string[] = [];
  #rest = "";

  add(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|[\r\n]/);
    this.#rest = (lines.pop() ?? "").slice(0, longestLine);
    for (const line of lines) this.#keep(line);
  }

  /** Not the empty ones. */
  get lines(): readonly string[] {
    const rest = this.#rest.trim();
    return [...this.#first, ...this.#last, ...(rest === "" ? [] : [rest])];
  }

  #keep(line: string): void {
    const said = line.trim().slice(0, longestLine);
    if (said === "") return;
    if (this.#first.length < keptLines) this.#first.push(said);
    else this.#last = [...this.#last.slice(1 - keptLines), said];
  }
}

/** What an engine said of its own failure; the first words say what was wrong, what follows is for developers. */
export function engineWords(lines: readonly string[]): string {
  const ours = lines.filter((line) => !/^(srun|slurmstepd[^:]*): |^(Killed|Terminated)$/.test(line));
  // Node, when it is out of memory, tells of its garbage collector first.
  const at = ours.findIndex((line) =>
    /^(engine: |(Uncaught )?[A-Za-z]*Error\b|FATAL ERROR: |# Fatal )/.test(line),
  );
  const isList = ours[at]?.endsWith(":") === true;
  const said = at === -1 ? ours.slice(0, 2) : ours.slice(at, at + (isList ? 2 : 1));
  return said.join(" ").slice(0, longestLine);
}

const keptLines = 12;
const longestLine = 400;
