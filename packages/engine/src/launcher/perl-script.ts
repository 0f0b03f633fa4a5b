import { syscallTable } from "./linux-syscalls.js";
import ladder from "./perl/ladder.pl";
import linux from "./perl/linux.pl";
import main from "./perl/main.pl";
import portable from "./perl/portable.pl";
import tasks from "./perl/tasks.pl";
import tree from "./perl/tree.pl";

/** `linux` needs a machine whose system calls we know by number. */
export type Platform = "linux" | "portable";

/** The platforms that may work here, the better one first. */
export function platforms(): readonly Platform[] {
  return syscallTable(process.platform, process.arch) === null ? ["portable"] : ["linux", "portable"];
}

/** The whole launcher, one scope; a message of perl names the part and its line. */
export function launcherScript(platform: Platform): Buffer {
  const parts: ReadonlyArray<readonly [string, string]> = [
    ["numbers", syscallTable(process.platform, process.arch) ?? ""],
    platform === "linux" ? ["linux.pl", linux] : ["portable.pl", portable],
    ["tasks.pl", tasks],
    ["tree.pl", tree],
    ["ladder.pl", ladder],
    ["main.pl", main],
  ];
  return Buffer.from(parts.map(([name, text]) => `#line 1 "${name}"\n${text}\n`).join(""));
}

/**
 * Takes the script, whose length is the first argument, from standard input, so that we stay one file; not a byte
 * more, as frames follow.
 */
export const bootstrap =
  "my($s,$n)=('',shift);" +
  "while(length$s<$n){sysread(STDIN,$s,$n-length$s,length$s)or exit 1}" +
  "eval$s;die$@if$@";
