const escape = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\s\S]))/g;
const letters: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

/** The text that Python's `repr` shows so: the inverse of `pythonReprOfStr`. */
export function textOfPythonRepr(repr: string): string {
  const inside = repr.slice(1, -1);
  if (!inside.includes("\\")) return inside;
  return inside.replaceAll(
    escape,
    (_, two?: string, four?: string, eight?: string, character?: string): string => {
      const code = two ?? four ?? eight;
      if (code !== undefined) return characterOf(Number.parseInt(code, 16));
      return letters[character ?? ""] ?? character ?? "";
    },
  );
}

/** U+FFFD for a number that no character has. */
function characterOf(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : "\ufffd";
}
