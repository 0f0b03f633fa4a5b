import { planted } from "./planted.js";
import type { Target } from "./target.js";
import { targets } from "./targets/index.js";

/** Throws an `Error` for a person when there is none. */
export function targetNamed(name: string): Target {
  const found = [...targets, ...planted].find((target) => target.name === name);
  if (found === undefined) throw new Error(`there is no target ${JSON.stringify(name)}; --list names them`);
  return found;
}

/** Those with one of these texts in their names; planted faults only by their whole names. */
export function targetsWith(parts: readonly string[]): readonly Target[] {
  if (parts.length === 0) return targets;
  const wanted = [
    ...targets.filter(({ name }) => parts.some((part) => name.includes(part))),
    ...planted.filter(({ name }) => parts.includes(name)),
  ];
  if (wanted.length === 0) throw new Error(`there is no target like ${parts.join(", ")}; --list names them`);
  return wanted;
}
