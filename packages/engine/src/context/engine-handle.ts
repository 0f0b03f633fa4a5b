import type { NodePlan } from "../core/node-plan.js";
import type { EngineConfig } from "../engine-config.js";

/** Everything of an engine's configuration that the one who starts it decides. */
export type BegunConfig = Omit<EngineConfig, "livenessFd">;

/** How a started engine ended, as seen from where it was started. */
export interface EngineEnd {
  readonly ok: boolean;
  /** Why it failed, for people; it names the host. Empty when it did not. */
  readonly message: string;
  /** Engine, guardian and all that they ran are dead for certain. */
  readonly proven: boolean;
  /** Of the engine, or of what started it; -signal as in Python. */
  readonly exitStatus: number;
}

/** One started engine process, on whatever node. */
export interface EngineHandle {
  /** Hands over its configuration; it does nothing before. */
  begin(config: BegunConfig): void;
  readonly gone: Promise<EngineEnd>;
  /** "Stop your tasks and go", without the store. */
  terminate(): void;
  /** Kills the engine, whose guardian kills the tasks; at last also what connects us to it. */
  kill(): void;
}

/** A way to start an engine on a node. */
export interface ContextMethod {
  readonly kind: "local" | "ssh" | "slurm";
  /** Starts it at once, or as soon as its turn has come. */
  launch(plan: NodePlan): EngineHandle;
}

/** What all methods must know. */
export interface EngineProgram {
  /** Absolute paths on this host. */
  readonly node: string;
  readonly engineScript: string;
  /** Where tasks run. */
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Of the pipe that only the engine and its guardian hold. */
export const livenessFd = 3;

export function configLine(config: BegunConfig): string {
  return `${JSON.stringify({ ...config, livenessFd } satisfies EngineConfig)}\n`;
}
