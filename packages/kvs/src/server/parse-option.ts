import { closeSync, openSync, readSync } from "node:fs";
import { type KvsAddress, parseEndpoint, unescaped } from "../address.js";
import { KvsError, TaskmusterError } from "../errors.js";
import { readAuthorities } from "./authorities.js";

const forms = "HOST:PORT, redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH";

/**
 * The server that `--kvsserver` names. Its password comes from TASKMUSTER_KVS_PASSWORD, or the first line of the file that
 * TASKMUSTER_KVS_PASSWORD_FILE names; for TLS, the authorities that are trusted from `caFile`, or the file that TASKMUSTER_KVS_CA_FILE names.
 * Throws a usage error.
 */
export function parseKvsServerOption(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  caFile: string | null = null,
): KvsAddress {
  const address = withScheme(text);
  const { username, url } = withoutUser(address);
  try {
    parseEndpoint(url);
  } catch (error) {
    if (error instanceof KvsError) throw usage(error.message);
    throw error;
  }
  const password = readPassword(env);
  const certificate = authorities(url, env, caFile);
  return {
    addresses: [url],
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(certificate === undefined ? {} : { certificate }),
    private: false,
  };
}

function usage(message: string): TaskmusterError {
  return new TaskmusterError("E_USAGE", `--kvsserver: ${message}`);
}

function withScheme(text: string): string {
  if (/^[a-z]+:\/\//i.test(text)) return text;
  const port = /^(?:[^:/@\s]+|\[[0-9a-f:.%]+\]):(\d{1,5})$/i.exec(text)?.[1];
  if (port === undefined)
    throw usage(`${JSON.stringify(text.replace(/^.*@/, ""))} is no server; write ${forms}`);
  if (Number(port) < 1 || Number(port) > 65_535) throw usage(`there is no port ${port}`);
  return `redis://${text}`;
}

/** A user's name may stand in the URL, a password may not. */
function withoutUser(address: string): { readonly username: string | undefined; readonly url: string } {
  // Up to the last @, as a password may hold anything; the path of a socket may, too.
  const match = /^([a-z]+:\/\/)(?!\/)(.*)@([^@]*)$/is.exec(address);
  if (match === null) return { username: undefined, url: address };
  const [, scheme = "", user = "", rest = ""] = match;
  if (user.includes(":")) {
    throw usage(
      "a password on the command line can be seen by everybody on this machine (ps); " +
        "put it into the environment variable TASKMUSTER_KVS_PASSWORD, or into a file that TASKMUSTER_KVS_PASSWORD_FILE names",
    );
  }
  const username = unescaped(user);
  if (username === null) throw usage(`the user's name has a % that begins no escape; write %25 for a %`);
  return { username: user === "" ? undefined : username, url: scheme + rest };
}

function authorities(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
  caFile: string | null,
): string | undefined {
  const isTls = /^rediss:/i.test(url);
  if (caFile !== null && !isTls) {
    throw new TaskmusterError(
      "E_USAGE",
      `--kvs-ca is for a server with TLS, and ${url} is none; write rediss://`,
    );
  }
  const fromEnv = env["TASKMUSTER_KVS_CA_FILE"];
  if (caFile !== null) return readAuthorities(caFile, "--kvs-ca");
  return isTls && fromEnv !== undefined && fromEnv !== ""
    ? readAuthorities(fromEnv, "TASKMUSTER_KVS_CA_FILE")
    : undefined;
}

function readPassword(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const password = env["TASKMUSTER_KVS_PASSWORD"];
  if (password !== undefined && password !== "") return password;
  const file = env["TASKMUSTER_KVS_PASSWORD_FILE"];
  if (file === undefined || file === "") return undefined;
  let line: string | null;
  try {
    line = firstLine(file);
  } catch (cause) {
    throw new TaskmusterError("E_USAGE", `cannot read TASKMUSTER_KVS_PASSWORD_FILE: ${String(cause)}`, {
      cause,
    });
  }
  if (line === null) {
    throw new TaskmusterError(
      "E_USAGE",
      `the first line of TASKMUSTER_KVS_PASSWORD_FILE is too long for a password: ${file}`,
    );
  }
  if (line === "")
    throw new TaskmusterError("E_USAGE", `TASKMUSTER_KVS_PASSWORD_FILE names an empty file: ${file}`);
  return line;
}

/** It may be a pipe, or a device that never ends. Null: it is longer than any password. */
function firstLine(path: string): string | null {
  const bytes = Buffer.alloc(mostPasswordBytes);
  let length = 0;
  const file = openSync(path, "r");
  try {
    while (length < bytes.length && !bytes.subarray(0, length).includes("\n")) {
      const read = readSync(file, bytes, length, bytes.length - length, null);
      if (read === 0) break;
      length += read;
    }
  } finally {
    closeSync(file);
  }
  const [line = "", ...rest] = bytes.toString("utf8", 0, length).split(/\r?\n/);
  return rest.length === 0 && length === bytes.length ? null : line;
}

const mostPasswordBytes = 4_096;
