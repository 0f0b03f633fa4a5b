import { runNpm } from "./npm.mjs";

/** @typedef {import("./lock.mjs").Outcome} Outcome */

/**
 * Advisories that do not concern us, by their address, with the reason.
 * @type {ReadonlyMap<string, string>}
 */
const accepted = new Map();

/**
 * As far as the checks look at what `npm audit --json` prints.
 * @typedef {{ title?: string, url?: string, severity?: string, range?: string }} Advisory
 * @typedef {{ name?: string, severity?: string, via?: readonly (string | Advisory)[] }} Vulnerability
 * @typedef {{ auditReportVersion?: number, message?: string, vulnerabilities?: Record<string, Vulnerability> }} Report
 */

/**
 * Nothing that we ship has a vulnerability that is known to the registry. Not every registry knows: one that has no audit, or
 * that cannot be reached, is told of, and is a failure where TASKMUSTER_AUDIT=required.
 * @param {string} root
 * @returns {Outcome}
 */
export function checkVulnerabilities(root) {
  const { stdout, stderr } = runNpm(
    ["audit", "--omit=dev", "--json", "--fetch-retries=1", "--fetch-timeout=30000"],
    root,
  );
  return auditOutcome(stdout, stderr, process.env["TASKMUSTER_AUDIT"] === "required", accepted);
}

/**
 * @param {string} printed
 * @param {string} complaint what npm says beside it
 * @param {boolean} isRequired
 * @param {ReadonlyMap<string, string>} known addresses of advisories, with a reason each
 * @returns {Outcome}
 */
export function auditOutcome(printed, complaint, isRequired, known) {
  const report = parse(printed);
  if (report?.auditReportVersion === undefined || report.vulnerabilities === undefined) {
    const why = report?.message ?? (complaint.trim().split("\n").at(-1) || "npm said nothing");
    const text = `vulnerabilities could not be looked up, as the registry does not answer: ${why}`;
    return isRequired ? { findings: [text], notices: [] } : { findings: [], notices: [text] };
  }
  const findings = new Set();
  for (const [name, { via = [] }] of Object.entries(report.vulnerabilities)) {
    for (const advisory of via) {
      // A text names another package of the report, by which this one is touched.
      if (typeof advisory === "string" || known.has(advisory.url ?? "")) continue;
      const { severity = "unknown", title = "untitled", range = "", url = "" } = advisory;
      findings.add(`${name} ${range} (${severity}): ${title} ${url}`);
    }
  }
  return { findings: [...findings], notices: [] };
}

/**
 * @param {string} printed
 * @returns {Report | null}
 */
function parse(printed) {
  try {
    return /** @type {Report | null} */ (JSON.parse(printed));
  } catch {
    return null;
  }
}
