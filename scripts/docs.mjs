// Writes docs/cli.md from the option definitions (packages/cli/src/docs.ts prints it); --check only compares.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { withBundle } from "./bundle/typescript.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { root } from "./setup/root.mjs";
import { Refusal, run, say } from "./setup/screen.mjs";

const generator = path.join(root, "packages", "cli", "src", "docs.ts");
const page = path.join(root, "docs", "cli.md");

await run(async () => {
  await ensureDependencies();
  const text = await withBundle(generator, async (file) =>
    execFileSync(process.execPath, [file], { encoding: "utf8" }),
  );
  if (process.argv.includes("--check")) {
    if (readPage() !== text)
      throw new Refusal("docs/cli.md is not what the option definitions say: run npm run docs.");
    say("docs/cli.md is in step with the option definitions");
  } else {
    mkdirSync(path.dirname(page), { recursive: true });
    writeFileSync(page, text);
    say("wrote docs/cli.md");
  }
});

function readPage() {
  try {
    return readFileSync(page, "utf8");
  } catch {
    return undefined;
  }
}
