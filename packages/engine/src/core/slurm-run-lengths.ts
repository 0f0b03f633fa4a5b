/** Reads one number for each node, as Slurm writes them: `4(x2),3` is 4, 4, 3. Null: that is not what this is. */
export function parseRunLengths(text: string): readonly number[] | null {
  const numbers: number[] = [];
  for (const item of text.split(",")) {
    const match = /^([0-9]{1,9})(?:\(x([0-9]{1,6})\))?$/.exec(item);
    const [, value, times = "1"] = match ?? [];
    if (value === undefined || numbers.length + Number(times) > mostNodes) return null;
    for (let count = 0; count < Number(times); count++) numbers.push(Number(value));
  }
  return numbers.length === 0 ? null : numbers;
}

const mostNodes = 65_536;
