/**
 * System calls by number: of a machine's ABI, not of a libc, so they hold wherever the kernel runs (asm/unistd.h of
 * each architecture). Only machines whose pointers have 64 bits, and whose SIGCHLD is 17.
 */
const names = [
  "ppoll",
  "pipe2",
  "prctl",
  "clock_gettime",
  "setsid",
  "dup3",
  "close",
  "read",
  "rt_sigprocmask",
  "exit_group",
  "fcntl",
  "write",
  "sendmsg",
  "recvmsg",
  "clone",
  "execve",
  "sched_setaffinity",
] as const;

const generic = [73, 59, 167, 113, 157, 24, 57, 63, 135, 94, 25, 64, 211, 212, 220, 221, 122];

const numbers: Readonly<Partial<Record<NodeJS.Architecture | "loong64", readonly number[]>>> = {
  x64: [271, 293, 157, 228, 112, 292, 3, 0, 14, 231, 72, 1, 46, 47, 56, 59, 203],
  arm64: generic,
  riscv64: generic,
  loong64: generic,
  ppc64: [281, 317, 171, 246, 66, 316, 6, 3, 174, 234, 55, 4, 341, 342, 120, 11, 222],
  s390x: [302, 325, 172, 260, 66, 326, 6, 3, 175, 248, 55, 4, 370, 372, 120, 11, 239],
};

/** The numbers as a perl hash, or null on a machine whose numbers are not known. */
export function syscallTable(platform: NodeJS.Platform, arch: NodeJS.Architecture): string | null {
  const known = platform === "linux" ? numbers[arch] : undefined;
  return known === undefined
    ? null
    : `my %NR = (${names.map((name, index) => `${name} => ${known[index]}`).join(", ")});`;
}
