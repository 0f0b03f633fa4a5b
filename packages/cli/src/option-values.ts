import { durationForms, parseDuration } from "@taskmuster/driver/duration";
import type { RawOptions } from "./command-line.js";
import { UsageError } from "./usage-error.js";

/* Values of options as commander leaves them, checked. Each throws a `UsageError` that names the option. */

/** A week: no timer of ours can wait for more than 24 days. */
const mostSeconds = 604_800;

export function text(options: RawOptions, name: string): string | undefined {
  const value = options[name];
  return typeof value === "string" ? value : undefined;
}

export function texts(options: RawOptions, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

export function count(options: RawOptions, name: string, flag: string, least: number): number | null {
  const value = text(options, name);
  if (value === undefined) return null;
  if (/^[0-9]{1,9}$/.test(value) && Number(value) >= least) return Number(value);
  throw new UsageError(`${flag} ${JSON.stringify(value)}: must be a whole number, ${least} or more`);
}

export function number(
  options: RawOptions,
  name: string,
  flag: string,
  fallback: number,
  isGood: (value: number) => boolean,
  wanted: string,
): number {
  const value = text(options, name);
  if (value === undefined) return fallback;
  const parsed = value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isFinite(parsed) && isGood(parsed)) return parsed;
  throw new UsageError(`${flag} ${JSON.stringify(value)}: must be ${wanted}`);
}

/** ms; null: not given. `isGood`: of those that are durations. */
export function duration(
  options: RawOptions,
  name: string,
  flag: string,
  isGood: (ms: number) => boolean,
): number | null {
  const value = text(options, name);
  if (value === undefined) return null;
  const ms = parseDuration(value);
  if (ms !== null && isGood(ms)) return ms;
  throw new UsageError(`${flag} ${JSON.stringify(value)}: must be a duration: ${durationForms}`);
}

/** Whole ones: what an engine is told has no fractions. */
export function milliseconds(
  options: RawOptions,
  name: string,
  flag: string,
  fallback: number,
  least: number,
): number {
  const isGood = (value: number): boolean => value >= least && value <= mostSeconds;
  const wanted = `a number of seconds from ${least} to ${mostSeconds}`;
  return Math.round(1000 * number(options, name, flag, fallback, isGood, wanted));
}
