import type { Span } from "./file-rows.js";
import type { Ledger, LedgerSection } from "./ledger.js";

/** Clocks of hosts differ, but not by so much. */
const slackSeconds = 3_600;

export interface ChosenSection {
  readonly section: LedgerSection;
  /** No later run has had this prefix. */
  readonly isLast: boolean;
}

/**
 * The part of a ledger that is about a status file: one prefix may have had several runs, of which all but the last have had their status
 * file set aside under another name. Null: none of it can be, it is another run's.
 */
export function chooseSection(
  ledger: Ledger,
  file: {
    /** Without its directory. */
    readonly name: string;
    readonly span: Span | null;
    readonly driverPids: ReadonlySet<number>;
  },
): ChosenSection | null {
  const { sections } = ledger;
  const next = sections.findLastIndex(
    ({ run }) => run !== null && run.setAside !== null && baseName(run.setAside) === file.name,
  );
  if (next > 0) {
    const section = sections[next - 1];
    return section === undefined ? null : { section, isLast: false };
  }
  const found = sections.findLastIndex((section) => fits(section, file.span, file.driverPids));
  const section = sections[found];
  return section === undefined ? null : { section, isLast: found === sections.length - 1 };
}

function fits({ run, end, epochs }: LedgerSection, span: Span | null, pids: ReadonlySet<number>): boolean {
  // It never had a status file.
  if (end?.reason === "notStarted") return false;
  if (run === null) return true;
  if (epochs <= 1 && [...pids].some((pid) => pid !== run.pid)) return false;
  if (span === null) return true;
  const [from, to] = [Date.parse(run.at) / 1000, end === null ? Number.NaN : Date.parse(end.at) / 1000];
  // Not a number where it says nothing: then nothing is before or after it.
  return !(span.last < from - slackSeconds) && !(span.first > to + slackSeconds);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
