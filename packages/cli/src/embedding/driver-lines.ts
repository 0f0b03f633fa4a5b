import type { KvsAddress } from "@taskmuster/kvs/server";
import type { RunSummary, TaskStatus } from "./public.js";

/* What arrives as JSON from the driver, checked. */

export function isAddress(value: unknown): value is KvsAddress {
  if (typeof value !== "object" || value === null || !("addresses" in value) || !("private" in value))
    return false;
  const { addresses } = value;
  if (typeof value.private !== "boolean") return false;
  return Array.isArray(addresses) && addresses.every((each) => typeof each === "string");
}

export function isSummary(value: unknown): value is RunSummary {
  return typeof value === "object" && value !== null && "reason" in value && typeof value.reason === "string";
}

/** Null for what is no status. */
export function parseStatus(text: string): TaskStatus | null {
  const value = parseLine(text);
  return isStatus(value) ? value : null;
}

/** Null for what is no JSON. */
export function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isStatus(value: unknown): value is TaskStatus {
  if (typeof value !== "object" || value === null || !("TaskId" in value) || !("ReturnCode" in value))
    return false;
  return Number.isSafeInteger(value.TaskId) && Number.isSafeInteger(value.ReturnCode);
}
