import { existsSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { prefixOf, readLedger } from "./audit/ledger-of.js";
import { type LedgerRun, type LedgerSection, parseLedger } from "./core/audit/ledger.js";
import { runFiles } from "./run-files.js";

/** Status files for a resume. */
export interface WithEarlier {
  /** Those that were named, then those that they go on from. */
  readonly paths: readonly string[];
  /** For the user. */
  readonly notices: readonly string[];
}

/**
 * A run that is broken off while it resumes another may not have taken over all of its rows: those that are missing stand in the file of that
 * one only, which is read, too, and so on. Where the ledger does not tell, nothing is added. Does not throw.
 */
export function withEarlierFiles(paths: readonly string[]): WithEarlier {
  const all = [...paths];
  const notices: string[] = [];
  const seen = new Set(paths.map(identityOf));
  // It grows meanwhile.
  for (const path of all) {
    const section = sectionOf(resolve(path));
    const run = section?.run ?? null;
    if (run === null || section?.end?.listRead === true) continue;
    for (const name of run.resumedFrom) {
      const places = placesOf(name, run, resolve(path)).filter((place) => existsSync(place));
      const found = places.find((place) => !seen.has(identityOf(place)));
      if (found !== undefined) {
        all.push(found);
        seen.add(identityOf(found));
        notices.push(
          `${path} is of a run that was broken off while it went on from ${found}, which is read, too`,
        );
      } else if (places.length === 0) {
        notices.push(
          `${path} is of a run that was broken off while it went on from ${name}, which is not there any more: what stands in ` +
            "that one only is run again",
        );
      }
    }
  }
  return { paths: all, notices };
}

/** Where an earlier status file may be: set aside, where it was then, or beside this one, when all were moved together. */
export function placesOf(name: string, run: LedgerRun, statusFile: string): readonly string[] {
  const then = resolve(run.cwd, name);
  const beside = dirname(statusFile);
  const places = [then, join(beside, basename(then))];
  const prefix = run.setAside === null ? null : prefixOf(run.setAside);
  if (run.setAside === null || prefix === null || basename(runFiles(prefix).status) !== basename(then)) {
    return places;
  }
  return [run.setAside, join(beside, basename(run.setAside)), ...places];
}

/** What the ledger beside a status file says of its run. A file that was set aside was so by the next one. */
function sectionOf(path: string): LedgerSection | null {
  const prefix = prefixOf(path);
  const read = readLedger(prefix);
  if (prefix === null || read.found !== "read") return null;
  const { sections } = parseLedger(read.text);
  if (basename(runFiles(prefix).status) === basename(path)) return sections.at(-1) ?? null;
  const next = sections.findIndex(({ run }) => basename(run?.setAside ?? "") === basename(path));
  return sections[next - 1] ?? null;
}

function identityOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? path : `${stat.dev}:${stat.ino}`;
}
