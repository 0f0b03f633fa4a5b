// Bundles the programs into dist/, if anything they are made from has changed since the last time. Installs first what a
// bare clone lacks, because `npm install -g .` calls this in one (as "prepare") and leaves the dependencies to us.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { bundlePrograms } from "./bundle/bundle.mjs";
import { fingerprint, hashFiles } from "./bundle/fingerprint.mjs";
import { thirdPartyLicenses } from "./bundle/licenses.mjs";
import { compileSpawner, spawnerName } from "./bundle/spawner.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { root } from "./setup/root.mjs";
import { Refusal, run, say } from "./setup/screen.mjs";

const dist = path.join(root, "dist");
const record = path.join(dist, ".built.json");

await run(async () => {
  await ensureDependencies();
  const inputs = fingerprint();
  if (isBuilt(inputs)) return;
  const begun = performance.now();
  const esbuild = await import("esbuild");
  const { files, inputs: bundled } = await bundlePrograms(esbuild).catch((/** @type {unknown} */ error) => {
    // esbuild has already printed each mistake with its place.
    throw error instanceof Error && "errors" in error
      ? new Refusal("The build failed; dist/ is as it was.")
      : error;
  });
  files.set("index.d.ts", readFileSync(path.join(root, "packages/cli/src/embedding/public.d.ts")));
  files.set("THIRD_PARTY_LICENSES.txt", Buffer.from(thirdPartyLicenses(bundled)));
  const spawner = compileSpawner();
  if (spawner !== null) files.set(spawner.name, spawner.program);
  replaceDist(files, inputs);
  const sizes = [...files].map(([name, content]) => `${name} ${Math.ceil(content.length / 1024)}k`);
  say(`built dist/ in ${Math.round(performance.now() - begun)} ms: ${sizes.join(", ")}`);
});

/**
 * Whether dist/ is what these inputs made, untouched since.
 * @typedef {{ inputs: string, outputs: string, files: string[] }} Built the hash of what was bundled, that of what came out, and its names
 * @param {string} inputs
 */
function isBuilt(inputs) {
  try {
    const built = /** @type {Built} */ (JSON.parse(readFileSync(record, "utf8")));
    return built.inputs === inputs && built.outputs === hashOutputs(built.files);
  } catch {
    return false;
  }
}

/** @param {readonly string[]} names */
function hashOutputs(names) {
  return hashFiles(names.map((name) => path.join(dist, name)));
}

/**
 * Each file takes its place by one rename, so that a program started meanwhile finds a whole file, old or new; the record
 * comes last, so that a build cut short is done again.
 * @param {Map<string, Uint8Array>} files
 * @param {string} inputs
 */
function replaceDist(files, inputs) {
  const fresh = path.join(dist, `.building-${process.pid}`);
  rmSync(record, { force: true });
  mkdirSync(fresh, { recursive: true });
  for (const [name, content] of files)
    writeFileSync(path.join(fresh, name), content, { mode: name.startsWith(spawnerName) ? 0o755 : 0o644 });
  for (const name of files.keys()) renameSync(path.join(fresh, name), path.join(dist, name));
  const names = [...files.keys()];
  /** @type {Built} */
  const built = { inputs, outputs: hashOutputs(names), files: names };
  writeFileSync(path.join(fresh, "record"), JSON.stringify(built));
  renameSync(path.join(fresh, "record"), record);
  rmSync(fresh, { recursive: true });
  for (const name of readdirSync(dist)) {
    if (!files.has(name) && !name.startsWith(".")) rmSync(path.join(dist, name), { recursive: true });
  }
}
