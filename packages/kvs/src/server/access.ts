import { createHash } from "node:crypto";
import type { Credentials } from "../address.js";
import { runKeyPrefix } from "../keys.js";
import type { RunId } from "../protocol/index.js";

/*
 * Who may do what on a private server, in the words of its own access control lists (Redis 6.2 must understand them too). What a script
 * calls is checked as if whoever runs it had called it.
 */

/** What an engine sends itself: scripts, the wait for its bell, and at the start of a session. */
const engineRequests = ["EVAL", "EVALSHA", "BLPOP", "INFO", "CLIENT|SETNAME"] as const;

/** What the scripts of its verbs call. A test compares. */
export const engineScriptCommands: readonly string[] = [
  "DEL EXISTS UNLINK",
  "HDEL HEXISTS HGET HINCRBY HKEYS HLEN HMGET HSET HVALS",
  "LINDEX LLEN LPOP LPUSH LREM RPUSH",
  "ZADD ZPOPMAX ZREM ZSCORE ZUNIONSTORE",
].flatMap((line) => line.split(" "));

/**
 * Patterns for the keys that they use, after the run's prefix: bell, claims, contexts, engine, engines, gone, idle, meta, queue, starved. As few
 * as can be, for each call that a script makes is held against them in turn. What is asked of the driver (requests) is not among
 * them, nor what is posted for other programs. A test compares.
 */
const engineKeys: readonly string[] = ["[bcegimqs]*", "reports"];

/**
 * The nameless user is the run's owner: driver, contexts, monitors, and programs that submit tasks, which name their keys as they like. Engines
 * are confined to the run. Nobody may look at what others do, or change the server itself. Passwords are told as what they hash to.
 */
export function accessLines(
  run: RunId,
  { password, engines }: { readonly password: string; readonly engines: Credentials },
): string {
  const owner = `user default on ${hashed(password)} ~* &* +@all -@admin -@dangerous +info +shutdown +client|setname`;
  const keys = engineKeys.map((key) => `~${runKeyPrefix(run)}${key}`);
  const commands = [...engineRequests, ...engineScriptCommands].map((command) => `+${command.toLowerCase()}`);
  const engine = ["user", engines.username, "on", hashed(engines.password), "resetchannels", "-@all"];
  return `${owner}\n${[...engine, ...keys, ...commands].join(" ")}\n`;
}

function hashed(password: string): string {
  return `#${createHash("sha256").update(password).digest("hex")}`;
}
