import { LaunchError } from "./launch-error.js";
import type { Launcher, LauncherEvents } from "./launcher.js";
import { NoopLauncher } from "./noop-launcher.js";
import { PerlLauncher } from "./perl-launcher.js";

export interface LauncherOptions {
  /** `auto`: perl where one works, else node. `noop` runs nothing. */
  readonly kind: "auto" | "perl" | "node" | "noop";
  readonly events: LauncherEvents;
  readonly cwd: string;
  readonly livenessFd?: number;
}

export async function createLauncher(options: LauncherOptions): Promise<Launcher> {
  await Promise.resolve();
  switch (options.kind) {
    case "noop":
      return new NoopLauncher(options.events);
    case "auto":
    case "perl":
      return new PerlLauncher(options);
    default:
      throw new LaunchError("todo");
  }
}
