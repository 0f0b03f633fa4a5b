import { durationForms } from "../duration.js";

/** Whether the directive is known and only its form is wrong, and what to write instead. */
export interface Advice {
  readonly problem: "unknown" | "malformed";
  readonly advice: string;
}

const forms: Readonly<Record<string, string>> = {
  BARRIER: `Write "#DISBATCH BARRIER", and then CHECK or a key if wanted; BARRIER and CHECK in upper case.`,
  PERENGINE: `Write "#DISBATCH PERENGINE START command" or "#DISBATCH PERENGINE STOP command".`,
  PREFIX: `Write "#DISBATCH PREFIX", one space and the text; nothing after the space clears the prefix.`,
  REPEAT: `Write "#DISBATCH REPEAT count START first STEP step command"; START, STEP and the command may be left out, the numbers are whole and not negative.`,
  RETRIES: `Write "#DISBATCH RETRIES count" or "#DISBATCH RETRIES count DELAY seconds"; the count is a whole number, the delay ${durationForms}.`,
  SUFFIX: `Write "#DISBATCH SUFFIX", one space and the text; nothing after the space clears the suffix.`,
  TIMEOUT: `Write "#DISBATCH TIMEOUT duration" or "#DISBATCH TIMEOUT NONE"; the duration is ${durationForms}.`,
};

/** `rest`: what follows `#DISBATCH ` in a line that is no directive. */
export function adviceOn(rest: Uint8Array): Advice {
  const [, blanks = "", word = ""] = /^([ \t\n\r\f\v]*)([A-Za-z]*)/.exec(latin1Start(rest)) ?? [];
  const form = forms[word.toUpperCase()];
  if (form === undefined) {
    return {
      problem: "unknown",
      advice: `The directives are ${Object.keys(forms).join(", ")}. To comment a line out, begin it with "# ".`,
    };
  }
  if (blanks !== "")
    return { problem: "malformed", advice: `Exactly one space belongs after #DISBATCH. ${form}` };
  return { problem: "malformed", advice: form };
}

/** As much as can matter here. */
function latin1Start(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 80));
}
