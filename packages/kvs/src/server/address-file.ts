import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import * as z from "zod/mini";
import type { KvsAddress } from "../address.js";
import { KvsError } from "../errors.js";
import { type RunId, protocolVersion, runId } from "../protocol/index.js";

/** All that an engine needs to find its run. */
export interface RunAddress extends KvsAddress {
  readonly runId: RunId;
}

const schema = z.object({
  version: z.literal(protocolVersion),
  runId: z.string(),
  addresses: z.array(z.string()).check(z.minLength(1)),
  username: z.optional(z.string()),
  password: z.optional(z.string()),
  certificate: z.optional(z.string()),
  engines: z.optional(z.object({ username: z.string(), password: z.string() })),
  private: z.boolean(),
});

/**
 * Writes the file at once and whole, for its owner only, whatever the umask. Throws the system's error when the directory
 * cannot be written.
 */
export function writeAddressFile(path: string, address: RunAddress): void {
  const { addresses, username, password, certificate, engines, runId: run } = address;
  const value = {
    version: protocolVersion,
    runId: run,
    addresses,
    username,
    password,
    certificate,
    engines,
    private: address.private,
  };
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  const file = openSync(temporary, "wx", 0o600);
  try {
    fchmodSync(file, 0o600);
    writeFileSync(file, `${JSON.stringify(value)}\n`);
    fsyncSync(file);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Throws `KvsError` when there is none, it is not one, or others than its owner, who must be us, could have read it. */
export function readAddressFile(path: string): RunAddress {
  const parsed = schema.safeParse(parseJson(path, readOwn(path)));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new KvsError(
      `${path} is not an address file of this version: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`,
    );
  }
  const { addresses, username, password, certificate, engines, private: isPrivate } = parsed.data;
  try {
    return {
      runId: runId(parsed.data.runId),
      addresses,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(engines === undefined ? {} : { engines }),
      private: isPrivate,
    };
  } catch (cause) {
    throw new KvsError(`${path} is not an address file: its run id is malformed`, { cause });
  }
}

function readOwn(path: string): string {
  let file: number;
  try {
    // To open a named pipe in the usual way takes until there is a writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new KvsError(`there is no address file ${path}: the run is over, or was started elsewhere`, {
        cause,
      });
    }
    throw new KvsError(`cannot read the address file ${path}: ${String(cause)}`, { cause });
  }
  try {
    const stat = fstatSync(file);
    const { uid, mode } = stat;
    if (!stat.isFile() || stat.size > mostBytes) {
      throw new KvsError(
        `${path} is not an address file: ${stat.isFile() ? `it has ${stat.size} bytes` : "it is no regular file"}`,
      );
    }
    if (process.getuid !== undefined && uid !== process.getuid()) {
      throw new KvsError(
        `the address file ${path} belongs to another user: whoever wrote it could run commands as you`,
      );
    }
    if ((mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, "0");
      throw new KvsError(
        `other users have access to the address file ${path} (mode ${octal}); it holds a secret: chmod 600 it`,
      );
    }
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

/** It holds a handful of addresses. */
const mostBytes = 1024 * 1024;

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KvsError(`${path} is not an address file: it is not JSON`, { cause });
  }
}
