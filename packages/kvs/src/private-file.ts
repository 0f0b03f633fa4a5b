import { closeSync, constants, fchmodSync, fstatSync, openSync } from "node:fs";

/**
 * A file of ours to append to: made for its owner only, whatever the umask, or one that is there already. One that somebody else
 * may have put there, to read what we write or to have it written elsewhere, is refused. Throws the system's error, or one that says why.
 */
export function openPrivateFile(path: string): number {
  const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = constants;
  try {
    const fresh = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600);
    fchmodSync(fresh, 0o600);
    return fresh;
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  const file = openExisting(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK);
  const found = fstatSync(file);
  // A device is the system's.
  if (found.isCharacterDevice()) return file;
  const isTheirs = process.getuid !== undefined && found.uid !== process.getuid();
  if (!isTheirs && found.isFile()) return file;
  closeSync(file);
  throw new Error(isTheirs ? "it belongs to another user" : "it is no regular file");
}

function openExisting(path: string, flags: number): number {
  try {
    return openSync(path, flags);
  } catch (cause) {
    // What O_NOFOLLOW says to a link.
    if (codeOf(cause) === "ELOOP" || codeOf(cause) === "EMLINK")
      throw new Error("it is a symbolic link", { cause });
    // What O_NONBLOCK says to a pipe that nobody reads.
    if (codeOf(cause) === "ENXIO") throw new Error("it is no regular file", { cause });
    throw cause;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
