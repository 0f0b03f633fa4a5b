// npm run check [-- --without-tests]: everything that must hold before a commit, step by step; stops at the first that fails.
import path from "node:path";
import { runCommand } from "./setup/command.mjs";
import { ensureDependencies } from "./setup/dependencies.mjs";
import { root } from "./setup/root.mjs";
import { Refusal, run, step } from "./setup/screen.mjs";

/** @type {readonly { name: string, command: readonly string[], mend?: string }[]} */
const steps = [
  { name: "build", command: ["node", "scripts/build.mjs"] },
  { name: "types", command: ["tsc", "-b"] },
  { name: "lint", command: ["oxlint"] },
  { name: "format", command: ["prettier", "--check", "--log-level=warn", "."], mend: "npm run format" },
  { name: "unused code", command: ["knip"] },
  { name: "package", command: ["publint", "--strict"] },
  { name: "docs in step", command: ["node", "scripts/docs.mjs", "--check"], mend: "npm run docs" },
  { name: "lockfile", command: ["node", "scripts/checks/run.mjs", "lockfile"] },
  { name: "install scripts", command: ["node", "scripts/checks/run.mjs", "install-scripts"] },
  { name: "licences", command: ["node", "scripts/checks/run.mjs", "licences"] },
  { name: "vulnerabilities", command: ["node", "scripts/checks/run.mjs", "vulnerabilities"] },
  { name: "tests", command: ["node", "scripts/test.mjs"] },
];

await run(async () => {
  await ensureDependencies();
  const withoutTests = process.argv.includes("--without-tests");
  // The tools of this repository, whoever calls us and from where.
  const env = {
    ...process.env,
    PATH: `${path.join(root, "node_modules", ".bin")}:${process.env["PATH"] ?? ""}`,
  };
  for (const { name, command, mend } of steps) {
    if (withoutTests && name === "tests") continue;
    step(`check: ${name}`);
    const [program = "", ...args] = command;
    const code = await runCommand(program === "node" ? process.execPath : program, args, { cwd: root, env });
    if (code !== 0)
      throw new Refusal(
        `check: ${name} failed (${command.join(" ")})${mend ? `; mend it with: ${mend}` : ""}`,
      );
  }
  step("check: all steps passed");
});
