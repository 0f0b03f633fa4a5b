import type { Found } from "../watch.js";

/** A fault that is not mended yet. The test of it, in `open.test.ts`, must fail, and says when it does not any more. */
interface Known {
  readonly targets: readonly string[];
  readonly signature: RegExp;
  /** What is wrong. */
  readonly fault: string;
}

const known: readonly Known[] = [
  {
    targets: ["report-element", "snapshot"],
    signature: /^RangeError in engineId,/,
    fault: "an engine's id that is none is no MalformedMessageError",
  },
  {
    targets: ["report-element", "task-element", "claims"],
    signature: /^Violation: (an element that is read names|a claim that is read names)/,
    fault: "numbers before the body may be beyond all counting",
  },
  {
    targets: ["task-element"],
    signature: /^MalformedMessageError in asNeedsKey,/,
    fault: "needs of more than 1e21 cores are written in a way that is not read",
  },
  {
    targets: ["address", "mail-server"],
    signature: /^URIError in (parseEndpoint|withoutUser|smtpServerOf),/,
    fault: "a broken % escape in an address is no error for a person",
  },
  {
    targets: ["report-row"],
    signature: /^Violation: (a row is one line|the row of a report)/,
    fault: "a report's host and times are not checked, so that its row cannot be read again",
  },
  {
    targets: ["status-line"],
    signature: /^RangeError in .*python-str\.ts/,
    fault: "a snippet with a code point that is none cannot be told to a program",
  },
  {
    targets: ["status-line"],
    signature: /^Violation: what the scan takes for a row can be read in full$/,
    fault: "a snippet with a carriage return is a row for the scan, and none for parseRow",
  },
  {
    targets: ["launcher-frames"],
    signature: /^RangeError in .*perl-frames\.ts$/,
    fault: "a frame that is too short is no LaunchError",
  },
];

/** Null: nobody knows of this. */
export function whyKnown({ target, signature }: Pick<Found, "target" | "signature">): string | null {
  const found = known.find((each) => each.targets.includes(target) && each.signature.test(signature));
  return found?.fault ?? null;
}
