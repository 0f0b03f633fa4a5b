/** Why a step ended that had no end of its own, in `srun`'s words. `how`: its exit status or signal. */
export function srunFailure(node: string, how: string, lines: readonly string[]): string {
  const told = lines.filter((line) => !noise.test(line));
  for (const { sign, means } of signs) {
    const line = told.find((each) => sign.test(each));
    if (line !== undefined) return means(node, bare(line));
  }
  const last = told.at(-1);
  return last === undefined
    ? `the step on ${node} ended: srun ended with ${how}`
    : `the step on ${node} ended: ${bare(last)}`;
}

/** What `srun` says while it cannot start a step yet; null for any other line. */
export function srunWaits(line: string): string | null {
  return /step creation (still|temporarily) disabled|retrying|Requested nodes are busy/i.test(line)
    ? bare(line)
    : null;
}

function bare(line: string): string {
  return line.replace(/^(srun|slurmstepd)[^:]*: (error: |fatal: )?/, "").replace(/^\*+ *| *\*+$/g, "");
}

/** Said on every run of some clusters, and consequences of what was said before. */
const noise =
  /lacks support for cpu binding|forcing job termination|Job step aborted: Waiting|error: .*: task 0: (Killed|Terminated|Exited)|Exceeded job memory limit at some point/i;

interface Sign {
  readonly sign: RegExp;
  readonly means: (node: string, words: string) => string;
}

/** The first that is found counts: one cause has many consequences. */
const signs: readonly Sign[] = [
  { sign: /Node failure/i, means: (node, words) => `${node} is lost: ${words}` },
  { sign: /DUE TO TIME LIMIT/i, means: (node, words) => `the job's time was up on ${node}: ${words}` },
  { sign: /DUE TO PREEMPTION/i, means: (node, words) => `the job was preempted on ${node}: ${words}` },
  { sign: /DUE TO NODE FAILURE/i, means: (node, words) => `${node} is lost: ${words}` },
  { sign: /Out Of Memory|oom[-_ ]kill/i, means: (node, words) => `memory ran out on ${node}: ${words}` },
  { sign: /\bCANCELLED\b/i, means: (node, words) => `the step on ${node} was cancelled: ${words}` },
  {
    sign: /Invalid generic resource|Unable to create step|Unable to confirm allocation/i,
    means: (node, words) => `cannot start a step on ${node}: ${words}`,
  },
];
