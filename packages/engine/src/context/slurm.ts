import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { TaskmusterError } from "@taskmuster/kvs";
import type { NodePlan } from "../core/node-plan.js";
import { srunFailure, srunWaits } from "../core/slurm-failure.js";
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
  #gres: Promise<GresRequests> | null = null;

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
        const { argsOf } = await (this.#gres ??= this.#askForGres());
        giveBack = await this.#turns.take();
        const step = srunStep(plan, env, this.#srunOptions, argsOf.get(host) ?? []);
        const line = remoteScript({ ...this.#options, variables: step.forTasks });
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

  async #askForGres(): Promise<GresRequests> {
    const requests = await heldGres(this.#options.env);
    if (requests.notice !== null) this.#options.onNotice(requests.notice);
    return requests;
  }
}

/** What of GPUs and the like the job holds on which node. Where Slurm does not tell, a step gets what it gets unasked. */
function heldGres(env: NodeJS.ProcessEnv): Promise<GresRequests> {
  const job = env["SLURM_JOB_ID"] ?? env["SLURM_JOBID"] ?? "";
  return new Promise((resolve) => {
    execFile(
      "scontrol",
      ["-d", "show", "job", job],
      { env, timeout: scontrolMs, maxBuffer: mostBytes },
      (error, stdout) => resolve(gresRequests(error === null ? stdout : "")),
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
