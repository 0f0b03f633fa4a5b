import { readFileSync } from "node:fs";
import { type KvsAddress, parseEndpoint } from "../address.js";
import { KvsError, TaskmusterError } from "../errors.js";

const forms = "HOST:PORT, redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH";

/**
 * The server that `--kvsserver` names. Its password comes from TASKMUSTER_KVS_PASSWORD, or the first line of the file that
 * TASKMUSTER_KVS_PASSWORD_FILE names. Throws a usage error.
 */
export function parseKvsServerOption(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
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
  return {
    addresses: [url],
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
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
  const match = /^([a-z]+:\/\/)([^/]*)@(.*)$/is.exec(address);
  if (match === null) return { username: undefined, url: address };
  const [, scheme = "", user = "", rest = ""] = match;
  if (user.includes(":")) {
    throw usage(
      "a password on the command line can be seen by everybody on this machine (ps); " +
        "put it into the environment variable TASKMUSTER_KVS_PASSWORD, or into a file that TASKMUSTER_KVS_PASSWORD_FILE names",
    );
  }
  return { username: user === "" ? undefined : decodeURIComponent(user), url: scheme + rest };
}

function readPassword(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const password = env["TASKMUSTER_KVS_PASSWORD"];
  if (password !== undefined && password !== "") return password;
  const file = env["TASKMUSTER_KVS_PASSWORD_FILE"];
  if (file === undefined || file === "") return undefined;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new TaskmusterError("E_USAGE", `cannot read TASKMUSTER_KVS_PASSWORD_FILE: ${String(cause)}`, {
      cause,
    });
  }
  const [line = ""] = text.split(/\r?\n/, 1);
  if (line === "")
    throw new TaskmusterError("E_USAGE", `TASKMUSTER_KVS_PASSWORD_FILE names an empty file: ${file}`);
  return line;
}
