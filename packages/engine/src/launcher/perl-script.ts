import { syscallTable } from "./linux-syscalls.js";
import ladder from "./perl/ladder.pl";
import linux from "./perl/linux.pl";
import main from "./perl/main.pl";
import portable from "./perl/portable.pl";
import spawner from "./perl/spawner.pl";
import tasks from "./perl/tasks.pl";
import timeouts from "./perl/timeouts.pl";
import tree from "./perl/tree.pl";

/** `linux` needs a machine whose system calls we know by number. */
export type Platform = "linux" | "portable";

/** The platforms that may work here, the better one first. */
export function platforms(): readonly Platform[] {
  return syscallTable(process.platform, process.arch) === null ? ["portable"] : ["linux", "portable"];
}

/**
 * What the bootstrap is to evaluate, in order; within a part one scope. A message of perl names the file and its line.
 * The spawner comes first and alone: what is compiled after it does not make its forks dearer. `nativeSpawner`: path of a program that
 * it becomes, if that can be run.
 */
export function launcherScript(platform: Platform, nativeSpawner: string | null): readonly Buffer[] {
  const numbers = syscallTable(process.platform, process.arch) ?? "";
  const native = `our $native = '${(nativeSpawner ?? "").replace(/['\\]/g, "\\$&")}';`;
  const own: ReadonlyArray<readonly [string, string]> = [
    platform === "linux" ? ["linux.pl", linux] : ["portable.pl", portable],
    ["tasks.pl", tasks],
    ["tree.pl", tree],
    ["timeouts.pl", timeouts],
    ["ladder.pl", ladder],
    ["main.pl", main],
  ];
  // clone takes its arguments in another order there: the launcher forks itself.
  const forksItself = platform === "portable" || process.arch === "s390x";
  return [forksItself ? [] : [["spawner.pl", spawner] as const], own]
    .filter((files) => files.length > 0)
    .map((files) =>
      Buffer.from(
        `${numbers}\n${native}\n${files.map(([name, text]) => `#line 1 "${name}"\n${text}\n`).join("")}`,
      ),
    );
}

/**
 * Takes variables to put back into the environment and then the parts of the script from standard input, so that we stay one
 * file; not a byte more, as frames follow. The arguments are their lengths.
 */
export const bootstrap =
  "sub r{my($s,$n)=('',@_);while(length$s<$n){sysread(STDIN,$s,$n-length$s,length$s)or exit 1}$s}" +
  "delete$ENV{LC_ALL};my%e=unpack'(N/a)*',r shift;@ENV{keys%e}=values%e;" +
  "for(@ARGV){eval r$_;die$@if$@}";
