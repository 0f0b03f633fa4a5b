const columns = 15;

/**
 * The rows of a status file, brought into one order and with what differs from run to run replaced by names: two runs of one list
 * give equal answers. Normalised rows are not changed by it. What is no row stays as it is, at the end.
 */
export function normaliseStatus(bytes: Uint8Array): string[] {
  const lines = Buffer.from(bytes).toString("utf8").split("\n");
  const torn = lines.pop() ?? "";
  const rows = lines.map(normalise).toSorted(inListOrder);
  return torn === "" ? rows : [...rows, `@torn ${torn}`];
}

function normalise(line: string): string {
  const cells = line.split("\t");
  const [flags = "", id, number, repeat, , pid, code, , , , outBytes, out, errBytes, err] = cells;
  if (cells.length < columns || flags.startsWith("ROE[")) return line;
  const command = cells.slice(columns - 1).join("\t");
  // Why a task could not be started is told in the words of the program that tried.
  const why = pid === "-1" && code !== "-100" ? ["@n", "@why"] : [errBytes, err];
  const named = ["@node", pid === "-1" ? pid : "@pid", code, "@t", "@t", "@t"];
  return [flags, id, number, repeat, ...named, outBytes, out, ...why, command].join("\t");
}

/** The header, PERENGINE rows, all others by id; START comes before STOP by its line. */
function inListOrder(one: string, other: string): number {
  const [oneKey, otherKey] = [sortKey(one), sortKey(other)];
  for (const [index, value] of oneKey.entries()) {
    const difference = value - (otherKey[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return one < other ? -1 : Number(one > other);
}

function sortKey(line: string): readonly [number, number, number] {
  if (line.startsWith("ROE[")) return [0, 0, 0];
  const [flags = "", id, number, ...rest] = line.split("\t");
  if (rest.length < columns - 3) return [3, 0, 0];
  return [flags[3] === "P" ? 1 : 2, Number(id), Number(number)];
}
