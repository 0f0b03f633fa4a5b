import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { isBuiltin } from "node:module";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { bundling } from "./bundle.mjs";

/**
 * Bundles a TypeScript program of this repository into a file that lives as long as `use` runs: Node 20 cannot run
 * TypeScript. Installed packages are not bundled, and import.meta.url is each source file's own.
 * @template T
 * @param {string} entry
 * @param {(file: string) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function withBundle(entry, use) {
  const esbuild = await import("esbuild");
  const folder = mkdtempSync(path.join(os.tmpdir(), "taskmuster-ts-"));
  try {
    const file = path.join(folder, `${path.basename(entry, ".ts")}.mjs`);
    await esbuild.build({
      ...bundling,
      banner: {},
      define: {},
      entryPoints: [path.resolve(entry)],
      outfile: file,
      sourcemap: "inline",
      plugins: [leavePackages, keepUrls],
    });
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Installed packages are named by the file that they resolve to, as the bundle lies where none would be found.
 * @type {import("esbuild").Plugin}
 */
const leavePackages = {
  name: "leave-packages",
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path: name, kind, resolveDir, pluginData }) => {
      if (kind === "entry-point" || name.startsWith("@taskmuster/") || pluginData === leavePackages)
        return null;
      if (isBuiltin(name)) return { path: name, external: true };
      const { path: file, errors } = await build.resolve(name, {
        kind,
        resolveDir,
        pluginData: leavePackages,
      });
      return errors.length > 0 ? { errors } : { path: pathToFileURL(file).href, external: true };
    });
  },
};

/** @type {import("esbuild").Plugin} */
const keepUrls = {
  name: "keep-urls",
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, ({ path: file }) => ({
      contents: readFileSync(file, "utf8").replaceAll(
        "import.meta.url",
        JSON.stringify(pathToFileURL(file).href),
      ),
      loader: "ts",
    }));
  },
};
