import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { root } from "../setup/root.mjs";

export const spawnerName = "taskmuster-spawner-";

/**
 * Compiles the small program that forks for the launcher, for this machine. Static where the C library can be linked so, as then it
 * runs on any Linux of this architecture. Null where there is no compiler: everything works without it, a little slower.
 * @returns {{ name: string, program: Uint8Array } | null}
 */
export function compileSpawner() {
  if (process.platform !== "linux" || process.arch === "s390x") return null;
  const source = path.join(root, "packages/engine/src/launcher/native/spawner.c");
  const directory = mkdtempSync(path.join(tmpdir(), "taskmuster-build-"));
  try {
    const output = path.join(directory, "spawner");
    for (const linking of [["-static"], []]) {
      const { status } = spawnSync(
        process.env["CC"] ?? "cc",
        ["-O2", "-s", ...linking, "-o", output, source],
        {
          stdio: "ignore",
        },
      );
      if (status === 0)
        return { name: `${spawnerName}${process.platform}-${process.arch}`, program: readFileSync(output) };
    }
    return null;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
