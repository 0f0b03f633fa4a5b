/** A list of which each slot gets its item, and each PERENGINE command the first: disBatch's way. */
export interface EnvResource {
  readonly name: string;
  readonly items: readonly string[];
}

export interface EnvResources {
  /** As many as the shortest list has items for. */
  readonly slots: number;
  readonly resources: readonly EnvResource[];
  /** For the log. */
  readonly notes: readonly string[];
}

/** `-E`: looks the variables up, which hold comma-separated lists. */
export function envResources(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  slots: number,
): EnvResources {
  const resources: EnvResource[] = [];
  const notes: string[] = [];
  let left = slots;
  for (const name of names) {
    const value = env[name];
    if (value === undefined || value === "") {
      notes.push(`-E ${name}: there is no such variable here; it is ignored`);
      continue;
    }
    const items = value.split(",");
    if (items.length < left) {
      notes.push(`-E ${name}: fewer values than the ${left} slots, which become ${items.length}: ${value}`);
      left = items.length;
    } else if (items.length > left) {
      notes.push(`-E ${name}: more values than the ${left} slots; some will not be used: ${value}`);
    }
    resources.push({ name, items });
  }
  return { slots: left, resources, notes };
}
