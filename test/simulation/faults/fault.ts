/** What can go wrong, all of it within what docs/reliability.md promises to survive. */
export const faultKinds = [
  /** An engine: `kill -9`. */
  "engine dies",
  /** Its machine, with its guardian and all that ran there; nobody can prove it. */
  "machine dies",
  /** SIGSTOP; its guardian goes on. */
  "engine stops",
  "engine stops",
  "engine is cut off",
  "engine is cut off",
  "engine's connection is reset",
  "engine's connection is reset",
  "task is killed",
  /** Who started it hears no more of it. */
  "engine's starter is cut off",
  "scheduler ends a step",
  "driver dies",
  /** It is stopped, or cannot be reached, and taken for dead; later it goes on. */
  "driver is replaced",
  /** Its machine loses power. */
  "login node dies",
  "driver stops",
  "driver is cut off",
  "driver's connection is reset",
  "driver's connection is reset",
  "disk is slow",
  "disk is full",
  "a sync fails",
  "store stops",
  /** `kill -9`; it is started again, and has forgotten everything. */
  "store dies",
  /** The same, but it comes back with what it held a second before. */
  "store goes back",
  "clock is set",
  "somebody retires an engine",
] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  /** How long it lasts, where that has a meaning. */
  readonly ms: number;
}
