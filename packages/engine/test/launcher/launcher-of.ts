import { tmpdir } from "node:os";
import { createLauncher } from "../../src/launcher/create.js";
import type { Launcher, LauncherEvents } from "../../src/launcher/launcher.js";
import { PerlLauncher } from "../../src/launcher/perl-launcher.js";
import type { Kind } from "./kinds.js";

export interface LauncherSettings {
  readonly cwd?: string;
  readonly livenessFd?: number;
  /** The compiled one; null: none. */
  readonly spawner?: string | null;
}

/** Not started yet. */
export async function launcherOf(
  kind: Kind,
  events: LauncherEvents,
  settings: LauncherSettings = {},
): Promise<Launcher> {
  const cwd = settings.cwd ?? tmpdir();
  const rest = settings.livenessFd === undefined ? {} : { livenessFd: settings.livenessFd };
  if (kind === "node") return await createLauncher({ kind, events, cwd, ...rest });
  const platform = kind === "portable perl" ? "portable" : "linux";
  return new PerlLauncher({ events, cwd, platform, spawner: settings.spawner ?? null, ...rest });
}
