import { randomBytes } from "node:crypto";
import { lstatSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";

/** Where the programs are that the script calls, as absolute paths that other hosts have too. */
export interface DbUtilPrograms {
  readonly node: string;
  /** Adds a context. */
  readonly context: string;
  /** Watches and steers. */
  readonly dbutil: string;
}

/**
 * The text of `PREFIX_dbUtil.sh`. All paths in it are absolute: sbatch runs a copy of it, from wherever it was submitted. It holds no
 * secret; what it calls finds that in the run's address file.
 */
export function dbUtilScript(prefix: string, programs: DbUtilPrograms): string {
  return `#!/bin/bash
# Adds resources to the run below, and watches it; made by its driver. Runs from any directory, and from sbatch's copy of it:
#   sbatch -n 40 THIS          add 40 slots (any number of times, also as a job array)
#   THIS -s localhost:4,friend:5   add cores of these hosts, by ssh
#   THIS --mon                 watch; THIS --help tells the rest
# Node resets an inherited "ignore SIGHUP" (nohup) when it starts, so only this shell can tell.
unset TASKMUSTER_SIGHUP
[[ $(trap -p HUP) != "trap -- '' "* ]] || export TASKMUSTER_SIGHUP=ignored
export TASKMUSTER_RUN=${bashWord(prefix)}
node=\${TASKMUSTER_NODE:-${bashWord(programs.node)}}
if [[ ! -x $node ]] && ! node=$(command -v node); then
  printf '%s: there is no Node.js on %s: neither ${bashInSingleQuotes(programs.node)} nor on PATH. Name one in TASKMUSTER_NODE.\\n' "\${0##*/}" "$(uname -n)" >&2
  exit 1
fi
case \${1-} in
  -h | --help | --mon* | mon | status | audit | retire | stop | add)
    exec "$node" ${bashWord(programs.dbutil)} "$@" ;;
  *)
    exec "$node" ${bashWord(programs.context)} "$@" ;;
esac
`;
}

/** Written whole under another name first: a job that starts this very moment reads the old one or the new one. */
export function writeDbUtilScript(path: string, text: string): void {
  const fresh = `${path}.${randomBytes(4).toString("hex")}`;
  writeFileSync(fresh, text, { mode: 0o700, flag: "wx" });
  renameSync(fresh, path);
}

/**
 * Lets `link` lead to the script of the newest run. Best effort, as the directory may not be ours; a file that is no link is
 * somebody's own and is left alone. Answers whether it does.
 */
export function linkDbUtilScript(link: string, script: string): boolean {
  const fresh = `${link}.${randomBytes(4).toString("hex")}`;
  try {
    const there = lstatSync(link, { throwIfNoEntry: false });
    if (there !== undefined && !there.isSymbolicLink()) return false;
    if (there !== undefined && readlinkSync(link) === script) return true;
    symlinkSync(script, fresh);
    renameSync(fresh, link);
    return true;
  } catch {
    rmSync(fresh, { force: true });
    return false;
  }
}

/** One word for bash, whatever it holds. */
function bashWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** For a place between single quotes, in a format of `printf`. */
function bashInSingleQuotes(text: string): string {
  return text.replaceAll("%", "%%").replaceAll("\\", "\\\\").replaceAll("'", "'\\''");
}
