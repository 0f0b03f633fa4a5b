/** Reads the kernel's way to write a set of CPUs (`0-3,8`), as in Cpus_allowed_list. Empty when it is no such list. */
export function parseCpuList(text: string): readonly number[] {
  const cpus: number[] = [];
  for (const range of text.trim().split(",")) {
    const [, first, last] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(range) ?? [];
    if (first === undefined || cpus.length > mostCpus) return [];
    for (let cpu = Number(first); cpu <= Number(last ?? first); cpu++) cpus.push(cpu);
  }
  return cpus;
}

/** More than any machine has; a range adds fewer than 100,000. */
const mostCpus = 100_000;

/** The set that /proc/PID/status says a process may use; empty when it does not say. */
export function allowedCpus(status: string): readonly number[] {
  return parseCpuList(/^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "");
}
