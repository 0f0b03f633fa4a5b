import { parseDuration } from "../duration.js";
import type { TaskRules } from "../task-policy.js";

/** `delayMs` null: as the option says. */
export interface RetriesRule {
  readonly kind: "retries";
  readonly retries: number;
  readonly delayMs: number | null;
}

/** `timeoutMs` null: none, whatever the option says. */
export interface TimeoutRule {
  readonly kind: "timeout";
  readonly timeoutMs: number | null;
}

/** `text`: what follows `RETRIES`. Null: malformed. */
export function readRetries(text: string): RetriesRule | null {
  const [, count, delay] = /^[ \t]+(\d{1,9})(?:[ \t]+DELAY[ \t]+(\S+))?[ \t]*$/i.exec(text) ?? [];
  if (count === undefined) return null;
  const delayMs = delay === undefined ? null : parseDuration(delay);
  if (delay !== undefined && delayMs === null) return null;
  return { kind: "retries", retries: Number(count), delayMs };
}

/** `text`: what follows `TIMEOUT`. Null: malformed. */
export function readTimeout(text: string): TimeoutRule | null {
  const [, value] = /^[ \t]+(\S+)[ \t]*$/.exec(text) ?? [];
  if (value === undefined) return null;
  if (/^none$/i.test(value)) return { kind: "timeout", timeoutMs: null };
  const timeoutMs = parseDuration(value);
  return timeoutMs === null || timeoutMs === 0 ? null : { kind: "timeout", timeoutMs };
}

/** Each RETRIES says all that there is to say about them: a DELAY of one before does not live on. */
export function rulesWith(rules: TaskRules | undefined, { retries, delayMs }: RetriesRule): TaskRules {
  const { timeoutMs } = rules ?? {};
  return {
    retries,
    ...(delayMs === null ? {} : { retryDelayMs: delayMs }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}
