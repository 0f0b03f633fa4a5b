import { describe, expect, it } from "vitest";
import { auditOutcome } from "../vulnerabilities.mjs";

const advisory = {
  title: "It explodes",
  url: "https://advisories.example/1",
  severity: "high",
  range: "<2.1.0",
};
const report = {
  auditReportVersion: 2,
  vulnerabilities: { used: { via: [advisory] }, user: { via: ["used"] } },
};
const none = new Map();

describe("the check of vulnerabilities", () => {
  it("has nothing against a report without any", () => {
    const clean = JSON.stringify({ auditReportVersion: 2, vulnerabilities: {} });
    expect(auditOutcome(clean, "", true, none)).toEqual({ findings: [], notices: [] });
  });

  it("refuses each that the registry knows of, once", () => {
    expect(auditOutcome(JSON.stringify(report), "", false, none).findings).toEqual([
      "used <2.1.0 (high): It explodes https://advisories.example/1",
    ]);
  });

  it("passes over one that is accepted for a reason", () => {
    const known = new Map([[advisory.url, "we never call it"]]);
    expect(auditOutcome(JSON.stringify(report), "", true, known).findings).toEqual([]);
  });

  const refused = JSON.stringify({ message: "405 Method Not Allowed", statusCode: 405 });

  it.each([
    [refused, "", "405 Method Not Allowed"],
    ["", "npm error network\nnpm error no way there\n", "no way there"],
    ["", "", "npm said nothing"],
    ["null", "", "npm said nothing"],
  ])("tells that there is no answer, and why: %s %s", (printed, complaint, why) => {
    expect(auditOutcome(printed, complaint, false, none)).toEqual({
      findings: [],
      notices: [expect.stringContaining(why)],
    });
  });

  it("refuses to go without an answer where one is required", () => {
    expect(auditOutcome(refused, "", true, none).findings).toEqual([
      expect.stringContaining("could not be looked up"),
    ]);
  });
});
