import { LaunchError } from "./launch-error.js";
import type { Launcher, LauncherEvents } from "./launcher.js";
import { NodeLauncher } from "./node-launcher.js";
import { NoopLauncher } from "./noop-launcher.js";
import { PerlLauncher } from "./perl-launcher.js";

export interface LauncherOptions {
  /** `auto`: perl where one works, else node. `noop` runs nothing. */
  readonly kind: "auto" | "perl" | "node" | "noop";
  readonly events: LauncherEvents;
  readonly cwd: string;
  readonly livenessFd?: number;
  /** See `PerlLauncherOptions`. */
  readonly spawner?: string | null;
  /** Told why the plainer launcher was taken, and of what else a developer may want to know. */
  readonly onNote?: (note: string) => void;
}

/** Throws `LaunchError` when the one that was asked for cannot be started. */
export async function createLauncher(options: LauncherOptions): Promise<Launcher> {
  switch (options.kind) {
    case "noop":
      return new NoopLauncher(options.events);
    case "perl":
      return new PerlLauncher(options);
    case "node":
      return new NodeLauncher(options);
    case "auto":
      return perlOrNode(options);
  }
}

/** Whether Perl and its core modules are there is found out by starting it: nothing else would tell for sure. */
async function perlOrNode(options: LauncherOptions): Promise<Launcher> {
  const perl = new PerlLauncher(options);
  try {
    await perl.start();
    return perl;
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error;
    options.onNote?.(`tasks are started by the plainer launcher, which is slower: ${error.message}`);
    return new NodeLauncher(options);
  }
}
