const unitMs: Readonly<Record<string, number>> = {
  "": 1000,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Ten years: longer is a slip of the finger. */
const mostMs = 3650 * 86_400_000;

/** What `parseDuration` takes, for people. */
export const durationForms = "seconds, or 90s, 15m, 2h, 1.5d; at most 3650d";

/** ms of `90`, `0.5`, `90s`, `15m`, `2h`, `1d`, in any case. Null: no such text, or more than ten years. */
export function parseDuration(text: string): number | null {
  const [, number, unit] = /^(\d{1,12}(?:\.\d{0,9})?|\.\d{1,9})([smhd]?)$/i.exec(text) ?? [];
  if (number === undefined || unit === undefined) return null;
  const ms = Math.round(Number(number) * (unitMs[unit.toLowerCase()] ?? Number.NaN));
  return ms <= mostMs ? ms : null;
}
