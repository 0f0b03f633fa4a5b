import path from "node:path";
import { root } from "../setup/root.mjs";

/** The programs: each becomes one file, as an engine starts on hundreds of nodes from one shared file system at once. */
const programs = {
  "driver.js": "packages/cli/src/main-driver.ts",
  "context.js": "packages/cli/src/main-context.ts",
  "dbutil.js": "packages/cli/src/main-dbutil.ts",
  "index.js": "packages/cli/src/embedding/index.ts",
  "engine.js": "packages/engine/src/engine-main.ts",
  "keeper.js": "packages/kvs/src/server/keeper-main.ts",
};

/** Packages that only a rare request needs: what `import()` takes of each becomes one more file, read only then. */
const loadedLater = new Map([
  ["redis-memory-server", "redis-build.js"],
  ["nodemailer", "mail.js"],
]);

/**
 * How everything of ours is bundled. Nothing is minified: stack traces keep names and lines.
 * @type {import("esbuild").BuildOptions}
 */
export const bundling = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  charset: "utf8",
  legalComments: "none", // the licences stand whole in THIRD_PARTY_LICENSES.txt
  loader: { ".lua": "text", ".pl": "text", ".sh": "text" },
  logLevel: "warning",
  absWorkingDir: root,
  // CommonJS packages call require() for Node's own modules, and look at __dirname.
  banner: {
    js: [
      'import { createRequire as __createRequire } from "node:module";',
      'import { fileURLToPath as __fileURLToPath } from "node:url";',
      "const require = __createRequire(import.meta.url);",
      "const __bundleFile = __fileURLToPath(import.meta.url);",
      'const __bundleDirectory = __fileURLToPath(new URL(".", import.meta.url));',
    ].join("\n"),
  },
  define: {
    __filename: "__bundleFile",
    __dirname: "__bundleDirectory",
    "process.env.MSGPACKR_NATIVE_ACCELERATION_DISABLED": '"true"',
  },
  // A native add-on cannot be bundled. The line above keeps msgpackr from loading it where it happens to be installed, so
  // that a clone and an installed package run the same code.
  external: ["msgpackr-extract"],
};

/**
 * Bundles all programs in memory.
 * @param {typeof import("esbuild")} esbuild
 * @returns {Promise<{ files: Map<string, Uint8Array>, inputs: Set<string> }>} files by name; inputs relative to the repository
 */
export async function bundlePrograms(esbuild) {
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  /** @type {Set<string>} */
  const inputs = new Set();
  /** @type {Map<string, string>} */
  const later = new Map();

  /** @param {string} name @param {import("esbuild").BuildOptions} options */
  const add = async (name, options) => {
    const result = await esbuild.build({
      ...bundling,
      ...options,
      outfile: path.join(root, "dist", name),
      write: false,
      metafile: true,
    });
    for (const file of result.outputFiles) files.set(path.basename(file.path), file.contents);
    for (const output of Object.values(result.metafile.outputs)) {
      for (const [input, { bytesInOutput }] of Object.entries(output.inputs))
        if (bytesInOutput > 0) inputs.add(input);
    }
  };

  for (const [name, entry] of Object.entries(programs)) {
    await add(name, { entryPoints: [entry], plugins: [splitOff(later)] });
  }
  for (const [name, specifier] of later) await add(name, { stdin: await reexport(specifier) });
  return { files, inputs };
}

/**
 * Turns the `import()` of a package that is loaded later into that of the file it becomes.
 * @param {Map<string, string>} met gets the files that are needed, with the module that each stands for
 * @returns {import("esbuild").Plugin}
 */
function splitOff(met) {
  return {
    name: "split-off",
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${[...loadedLater.keys()].join("|")})(/|$)`) }, (args) => {
        const file = loadedLater.get(args.path.split("/")[0] ?? "");
        const taken = file === undefined ? undefined : met.get(file);
        if (
          file === undefined ||
          args.kind !== "dynamic-import" ||
          (taken !== undefined && taken !== args.path)
        ) {
          const text = `${args.path} must be loaded with import(), and be all that is taken of its package`;
          return { errors: [{ text: `${text} (in ${args.importer})` }] };
        }
        met.set(file, args.path);
        return { path: `./${file}`, external: true };
      });
    },
  };
}

/**
 * A module with the same exports as Node's own `import()` of a CommonJS package; a bundler alone gives only the default.
 * @param {string} specifier
 * @returns {Promise<import("esbuild").StdinOptions>}
 */
async function reexport(specifier) {
  const exported = /** @type {Record<string, unknown>} */ (await import(specifier));
  const names = Object.keys(exported).filter((name) => name !== "default" && /^[A-Za-z]\w*$/.test(name));
  return {
    contents: `import whole from "${specifier}"; export default whole; export const { ${names.join(", ")} } = whole;`,
    resolveDir: path.join(root, "packages", "kvs"),
    sourcefile: `${specifier}.mjs`,
    loader: "js",
  };
}
