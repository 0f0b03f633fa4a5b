import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

/**
 * Opens a file that somebody has named, for reading. Null: it is there and is no regular file. Waits for nobody: to open a named pipe
 * in the usual way takes until there is a writer. Rejects with the system's error.
 */
export async function openRegular(path: string): Promise<FileHandle | null> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return null;
}
