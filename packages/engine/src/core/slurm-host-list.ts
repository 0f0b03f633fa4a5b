export type HostExpansion =
  | { readonly kind: "hosts"; readonly hosts: readonly string[] }
  | { readonly kind: "bad"; readonly why: string };

/**
 * The hosts that a Slurm host list stands for, as `scontrol show hostnames` tells them: `rack[0-1]node[01-03,07],login`.
 * The leftmost bracket turns slowest. Also read, though `scontrol` may not: a text after the last bracket, and brackets inside brackets.
 */
export function expandSlurmHostList(list: string): HostExpansion {
  const reader = new Reader(list);
  try {
    const hosts = alternatives(reader, "outside");
    if (!reader.atEnd) return bad(list, `there is a "]" too many at character ${reader.position + 1}`);
    const wrong = hosts.find((host) => !hostPattern.test(host));
    if (wrong !== undefined) return bad(list, `${JSON.stringify(shortened(wrong))} is not a host name`);
    return hosts.length === 0 ? bad(list, "it names no host") : { kind: "hosts", hosts };
  } catch (error) {
    if (error instanceof HostListError) return bad(list, error.message);
    throw error;
  }
}

/** One list stands for so many hosts at the most: larger than any cluster, small enough to hold. */
export const mostHosts = 65_536;

/** A name of more brackets than this, next to or in each other, is none. */
const mostBrackets = 16;
/** What a literal is made of. A host name goes into command lines: nothing in it may need quoting. */
const literalPattern = /^[A-Za-z0-9_.-]+$/;
/** Nor may it look like an option. No name in the DNS is longer. */
const hostPattern = /^[A-Za-z0-9_.][A-Za-z0-9_.-]{0,254}$/;

class HostListError extends Error {}

class Reader {
  readonly #text: string;
  position = 0;
  /** Of the item outside of all brackets that is being read. */
  brackets = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.position >= this.#text.length;
  }

  get next(): string {
    return this.#text.charAt(this.position);
  }

  /** Takes that character, if it is the next one. */
  takes(character: string): boolean {
    if (this.next !== character) return false;
    this.position++;
    return true;
  }

  takeLiteral(): string {
    const begin = this.position;
    while (!this.atEnd && !"[],".includes(this.next)) this.position++;
    return this.#text.slice(begin, this.position);
  }
}

/** Items between commas, up to the end or the closing bracket. */
function alternatives(reader: Reader, where: "outside" | "inside"): string[] {
  const hosts: string[] = [];
  for (;;) {
    if (where === "outside") reader.brackets = 0;
    for (const host of item(reader, where)) hosts.push(host);
    if (hosts.length > mostHosts) throw tooMany();
    if (!reader.takes(",")) return hosts;
  }
}

/** Literals and brackets in a row: the product of what they stand for. */
function item(reader: Reader, where: "outside" | "inside"): readonly string[] {
  let hosts: readonly string[] = [""];
  let plain = true;
  let literals = "";
  while (!reader.atEnd && reader.next !== "," && reader.next !== "]") {
    if (reader.takes("[")) {
      // Each may multiply what is there, and one in another takes stack.
      if (++reader.brackets > mostBrackets)
        throw new HostListError(`more than ${mostBrackets} brackets in one name`);
      plain = false;
      const inner = alternatives(reader, "inside");
      if (!reader.takes("]")) throw new HostListError('a "[" is not closed');
      if (hosts.length * inner.length > mostHosts) throw tooMany();
      hosts = hosts.flatMap((host) => inner.map((each) => host + each));
    } else {
      const literal = reader.takeLiteral();
      // Inside of brackets it may turn out to be a range, which says for itself what is wrong with it.
      if (where === "outside" && !literalPattern.test(literal))
        throw new HostListError(`${JSON.stringify(shortened(literal))} is not part of a host name`);
      literals += literal;
      hosts = hosts.map((host) => host + literal);
    }
  }
  if (where === "inside") return plain ? range(literals) : hosts;
  return plain && literals === "" ? [] : hosts;
}

/** `7`, `01-12`: numbers padded to the width of the first. */
function range(text: string): readonly string[] {
  const match = /^([0-9]{1,15})(?:-([0-9]{1,15}))?$/.exec(text);
  const [, low, high = low] = match ?? [];
  if (low === undefined || high === undefined || Number(high) < Number(low))
    throw new HostListError(`${JSON.stringify(shortened(text))} is not a range of numbers`);
  const count = Number(high) - Number(low) + 1;
  if (count > mostHosts) throw tooMany();
  return Array.from({ length: count }, (_, index) => String(Number(low) + index).padStart(low.length, "0"));
}

function tooMany(): HostListError {
  return new HostListError(`it stands for more than ${mostHosts} hosts`);
}

function bad(list: string, why: string): HostExpansion {
  return { kind: "bad", why: `${JSON.stringify(shortened(list))}: ${why}` };
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
