/**
 * When a job ends, in seconds since 1970, from what `scontrol show job` prints (`EndTime=2026-11-21T03:17:42`, in local time, as that is
 * what `scontrol` shows); null: it does not say, or never. Older versions of Slurm (22.05) do not set `SLURM_JOB_END_TIME`.
 */
export function endTimeOf(shown: string): number | null {
  const [, text] = /(?:^|\s)EndTime=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?=\s)/.exec(shown) ?? [];
  // Without a zone a date with a time is local.
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}
