// node scripts/checks/run.mjs NAME: one check of what we depend on, see `checks`.
import { root } from "../setup/root.mjs";
import { Refusal, run, say } from "../setup/screen.mjs";
import { checkInstallScripts } from "./install-scripts.mjs";
import { checkLicences } from "./licences.mjs";
import { checkLockfile } from "./lockfile.mjs";
import { checkVulnerabilities } from "./vulnerabilities.mjs";

/** @type {ReadonlyMap<string, (root: string) => import("./lock.mjs").Outcome>} */
const checks = new Map([
  ["lockfile", checkLockfile],
  ["install-scripts", checkInstallScripts],
  ["licences", checkLicences],
  ["vulnerabilities", checkVulnerabilities],
]);

await run(async () => {
  const name = process.argv[2] ?? "";
  const check = checks.get(name);
  if (check === undefined)
    throw new Refusal(`usage: node scripts/checks/run.mjs ${[...checks.keys()].join("|")}`);
  const { findings, notices } = check(root);
  for (const notice of notices) say(`note: ${notice}`);
  if (findings.length > 0) throw new Refusal(findings.map((finding) => `- ${finding}`).join("\n"));
});
