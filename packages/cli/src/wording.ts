/** `7 s`, `4:05`, `3:04:05`, `2 d 03:04:05`; seconds in. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const clock = [Math.floor(whole / 60) % 60, whole % 60]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
  const hours = Math.floor(whole / 3600);
  if (hours === 0) return clock.replace(/^0/, "");
  const days = Math.floor(hours / 24);
  return days === 0 ? `${hours}:${clock}` : `${days} d ${String(hours % 24).padStart(2, "0")}:${clock}`;
}

export function rateText(perSecond: number): string {
  if (perSecond >= 100) return `${Math.round(perSecond)}/s`;
  if (perSecond >= 1) return `${perSecond.toFixed(1)}/s`;
  return perSecond * 60 >= 1 ? `${(perSecond * 60).toFixed(1)}/min` : `${(perSecond * 3600).toFixed(1)}/h`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A word as a POSIX shell needs it; newlines and quotes included. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

const signalNames: Readonly<Record<number, string>> = {
  1: "HUP",
  2: "INT",
  3: "QUIT",
  4: "ILL",
  6: "ABRT",
  7: "BUS",
  8: "FPE",
  9: "KILL",
  11: "SEGV",
  13: "PIPE",
  14: "ALRM",
  15: "TERM",
};

/** What a return code of the status file means. */
export function returnCodeText(returnCode: number): string {
  if (returnCode === -100) return "lost with its engine";
  if (returnCode >= 0) return `exit ${returnCode}`;
  const name = signalNames[-returnCode];
  return name === undefined ? `signal ${-returnCode}` : `signal ${-returnCode} (${name})`;
}

/** The same of a failure of which it is known whether it was one of time. */
export function failureText(failed: { readonly returnCode: number; readonly timedOut: boolean }): string {
  const text = returnCodeText(failed.returnCode);
  return failed.timedOut ? `timed out, ${text}` : text;
}

/** Text for a terminal: one line of at most `most` characters, nothing that could move the cursor or change its colours. */
export function printable(bytes: Uint8Array, most: number): string {
  const text = new TextDecoder()
    .decode(bytes)
    .replace(/[\p{Cc}\p{Cf}]+/gu, " ")
    .trim();
  const characters = Array.from(text);
  return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
}

/** The last line that says something. */
export function lastLine(bytes: Uint8Array, most: number): string {
  const lines = new TextDecoder().decode(bytes).split("\n");
  const last = lines.findLast((line) => line.trim() !== "") ?? "";
  const characters = Array.from(printable(new TextEncoder().encode(last), 10_000));
  return characters.length > most
    ? `…${characters.slice(characters.length - most + 1).join("")}`
    : characters.join("");
}

/** What keeps an engine from using all its slots; empty when nothing does. */
export function limitWords(
  { outOf, usable }: { readonly outOf: string; readonly usable: number },
  slots: number,
): string {
  if (outOf === "") return "";
  return usable === 0 ? `starts nothing, out of ${outOf}` : `${usable} of ${slots} slots, out of ${outOf}`;
}
