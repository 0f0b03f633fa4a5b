import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { TaskmusterError } from "@taskmuster/kvs";
import type { NodePlan } from "../core/node-plan.js";
import { srunFailure, srunWaits } from "../core/slurm-failure.js";
import { endTimeOf } from "../core/slurm-end-time.js";
import { type GresRequests, gresRequests } from "../core/slurm-gres.js";
import { parseSrunOptions } from "../core/slurm-srun-options.js";
import { srunStep } from "../core/slurm-step.js";
import type { ContextMethod, EngineHandle, EngineProgram } from "./engine-handle.js";
import { RemoteEngine } from "./remote-engine.js";
import { bootstrap, remoteScript } from "./remote-script.js";
import { Turns } from "./turns.js";

export interface SlurmMethodOptions extends EngineProgram {
  /** For people. */
  readonly onNotice: (message: string) => void;
}

/** Starts engines in the Slurm job whose environment we have: one `srun`, and so one step, for each node. */
export class SlurmMethod implements ContextMethod {
  readonly kind = "slurm";
  readonly #options: SlurmMethodOptions;
  readonly #srunOptions: ReadonlyMap<string, string> | null;
  readonly #turns = new Turns(stepsAtATime, turnMs);
  #job: Promise<JobFacts> | null = null;

  /** Throws `TaskmusterError` (E_USAGE) on a bad `DISBATCH_SLURM_SRUN_OPTIONS_FILE`. */
  constructor(options: SlurmMethodOptions) {
    this.#options = options;
    this.#srunOptions = readSrunOptions(options.env[optionsVariable]);
  }

  launch(plan: NodePlan): EngineHandle {
    const { host } = plan;
    const { env, onNotice } = this.#options;
    let giveBack = (): void => undefined;
    let waits = false;
    return new RemoteEngine({
      host,
      prepare: async () => {
        const { gres, endTime } = await (this.#job ??= this.#askForJob());
        giveBack = await this.#turns.take();
        const step = srunStep(plan, env, this.#srunOptions, gres.argsOf.get(host) ?? []);
        const variables = {
          ...step.forTasks,
          ...(endTime === null ? {} : { SLURM_JOB_END_TIME: `${endTime}` }),
        };
        const line = remoteScript({ ...this.#options, variables });
        return { command: "srun", args: [...step.args, "/bin/sh", "-c", bootstrap], env: step.env, line };
      },
      onSettled: () => giveBack(),
      explain: (_up, how, words) => srunFailure(host, how, words),
      onLine: (said) => {
        const why = srunWaits(said);
        if (why !== null && !waits) onNotice(`the step on ${host} cannot start yet: ${why}`);
        waits ||= why !== null;
      },
    });
  }

  async #askForJob(): Promise<JobFacts> {
    const { env, onNotice } = this.#options;
    const shown = await showJob(env);
    const gres = gresRequests(shown);
    if (gres.notice !== null) onNotice(gres.notice);
    return { gres, endTime: env["SLURM_JOB_END_TIME"] === undefined ? endTimeOf(shown) : null };
  }
}

/** What the environment of a job does not tell. */
interface JobFacts {
  /** What of GPUs and the like the job holds on which node. Where Slurm does not tell, a step gets what it gets unasked. */
  readonly gres: GresRequests;
  /** Seconds since 1970; null: the engine finds it in its environment, or nobody knows. */
  readonly endTime: number | null;
}

/** What `scontrol` says of the job; empty when it says nothing. */
function showJob(env: NodeJS.ProcessEnv): Promise<string> {
  const job = env["SLURM_JOB_ID"] ?? env["SLURM_JOBID"] ?? "";
  return new Promise((resolve) => {
    execFile(
      "scontrol",
      ["-d", "show", "job", job],
      { env, timeout: scontrolMs, maxBuffer: mostBytes },
      (error, stdout) => resolve(error === null ? stdout : ""),
    );
  });
}

function readSrunOptions(file: string | undefined): ReadonlyMap<string, string> | null {
  if (file === undefined || file === "") return null;
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TaskmusterError("E_USAGE", `${optionsVariable}: ${why}`, { cause });
  }
  const parsed = parseSrunOptions(text);
  if (parsed.kind === "options") return parsed.options;
  throw new TaskmusterError("E_USAGE", `${optionsVariable}: ${file}, line ${parsed.line}: ${parsed.why}`);
}

const optionsVariable = "DISBATCH_SLURM_SRUN_OPTIONS_FILE";
const stepsAtATime = 32;
const turnMs = 30_000;
const scontrolMs = 10_000;
const mostBytes = 64 * 1024 * 1024;
