import type { NodePlan } from "../core/node-plan.js";
import { sshArguments } from "../core/ssh-arguments.js";
import { sshFailure } from "../core/ssh-failure.js";
import type { ContextMethod, EngineHandle, EngineProgram } from "./engine-handle.js";
import { RemoteEngine } from "./remote-engine.js";
import { bootstrap, remoteScript } from "./remote-script.js";
import { Turns } from "./turns.js";

export interface SshMethodOptions extends EngineProgram {
  readonly leaseMs: number;
}

/** Starts engines by the `ssh` on PATH, with the user's own configuration. They get the environment of a login there, not ours. */
export class SshMethod implements ContextMethod {
  readonly kind = "ssh";
  readonly #options: SshMethodOptions;
  readonly #turns = new Turns(connectionsAtATime, turnMs);

  constructor(options: SshMethodOptions) {
    this.#options = options;
  }

  launch({ host }: NodePlan): EngineHandle {
    const { env, leaseMs } = this.#options;
    let giveBack = (): void => undefined;
    return new RemoteEngine({
      host,
      prepare: async () => {
        giveBack = await this.#turns.take();
        const args = sshArguments(host, leaseMs, bootstrap);
        return { command: "ssh", args, env, line: remoteScript(this.#options) };
      },
      onSettled: () => giveBack(),
      explain: (up, how, words) => sshFailure(host, up ? "running" : "connecting", how, words),
    });
  }
}

/** Each costs processor time here to encrypt, and many sites count logins that are not complete yet. */
const connectionsAtATime = 32;
const turnMs = 30_000;
