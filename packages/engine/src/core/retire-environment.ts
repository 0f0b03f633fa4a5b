/** A node whose engine has ended. */
export interface RetiredNode {
  readonly host: string;
  /** -signal as in Python. */
  readonly exitStatus: number;
}

export interface RetireRequest {
  /** What is handed back now; earlier ones are in `retired` too. */
  readonly now: readonly RetiredNode[];
  readonly active: readonly string[];
  readonly retired: readonly string[];
  /** The node of the batch system on which we run ourselves; null: none, or not known. */
  readonly ownNode: string | null;
}

/** What the command that hands nodes back finds in its environment, besides ours. All lists are comma-separated and in order. */
export function retireEnvironment(request: RetireRequest): Readonly<Record<string, string>> {
  const { now, active, retired } = request;
  const hosts = now.map(({ host }) => host).join(",");
  const driverNode = driverNodeOf(request);
  return {
    NODE: hosts,
    NODES: hosts,
    RETCODES: now.map(({ exitStatus }) => exitStatus).join(","),
    ACTIVE: active.join(","),
    RETIRED: retired.join(","),
    ...(driverNode === null ? {} : { DRIVER_NODE: driverNode }),
  };
}

/** Where we run ourselves, when no engine does any more: it cannot be handed back while we are there. */
function driverNodeOf({ ownNode, active }: RetireRequest): string | null {
  return ownNode === null || active.includes(ownNode) ? null : ownNode;
}

/** Tells Slurm which nodes the job keeps. */
export const slurmRetireCommand =
  'scontrol update JobId="$SLURM_JOBID" NodeList="${DRIVER_NODE:+$DRIVER_NODE,}$ACTIVE"';

/** Whether the job would really lose a node: Slurm cannot keep none, and the one that we are on is kept. */
export function slurmWouldShrink(request: RetireRequest): boolean {
  return request.active.length > 0 && request.now.some(({ host }) => host !== request.ownNode);
}
