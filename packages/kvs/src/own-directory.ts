import { lstatSync, realpathSync } from "node:fs";
import { dirname } from "node:path";

/* Whether a place is ours alone. Others: everybody, or the group too, as nobody can tell who is in it. */

/** Why what we make in this directory could be replaced by others, or null. One that is not there: null. */
export function whyUnsafe(directory: string, others: "everybody" | "the group too"): string | null {
  const theirWrite = others === "everybody" ? everybodyWrites : othersWrite;
  let at: string;
  try {
    at = realpathSync(directory);
  } catch {
    return null;
  }
  for (; ; at = dirname(at)) {
    const { mode } = lstatSync(at);
    // In a sticky one everybody can only touch what is their own.
    if ((mode & theirWrite) !== 0 && (mode & sticky) === 0) {
      return `others can write into ${at} (mode ${octal(mode)}), and it is not sticky as /tmp is`;
    }
    if (at === dirname(at)) return null;
  }
}

/** Why this is no directory of ours that nobody else can write into, or null. One that is not there: null. */
export function whyNotOurs(directory: string): string | null {
  const found = lstatSync(directory, { throwIfNoEntry: false });
  if (found === undefined) return null;
  if (found.isSymbolicLink()) return `${directory} is a symbolic link`;
  if (!found.isDirectory()) return `${directory} is no directory`;
  if (process.getuid !== undefined && found.uid !== process.getuid())
    return `${directory} belongs to another user`;
  if ((found.mode & othersWrite) !== 0) {
    return `others can write into ${directory} (mode ${octal(found.mode)})`;
  }
  return null;
}

const everybodyWrites = 0o002;
const othersWrite = 0o022;
const sticky = 0o1000;

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
