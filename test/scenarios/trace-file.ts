/**
 * A scenario as a person reads it: blocks, with a blank line between them, of commands, a line `----`, and what happened then.
 * Lines that begin with `#` say what it is about.
 */
export interface Block {
  readonly head: readonly string[];
  /** Null: a block of comments only. */
  readonly happened: readonly string[] | null;
}

const line = "----";

export function parseTraceFile(text: string): readonly Block[] {
  return text
    .split(/\n{2,}/)
    .map((block) => block.replace(/^\n+|\n+$/g, ""))
    .filter((block) => block !== "")
    .map((block) => {
      const lines = block.split("\n");
      const at = lines.indexOf(line);
      const head = at === -1 ? lines : lines.slice(0, at);
      const isComment = head.every((each) => each.startsWith("#"));
      return { head, happened: isComment ? null : at === -1 ? [] : lines.slice(at + 1) };
    });
}

export function formatTraceFile(blocks: readonly Block[]): string {
  const texts = blocks.map(({ head, happened }) =>
    [...head, ...(happened === null ? [] : [line, ...happened])].join("\n"),
  );
  return `${texts.join("\n\n")}\n`;
}

/** A command with its words, and the lines below it that begin with `|`. */
export interface Command {
  readonly words: readonly string[];
  readonly lines: readonly string[];
}

export function commandsOf(block: Block): readonly Command[] {
  const commands: { words: string[]; lines: string[] }[] = [];
  for (const each of block.head) {
    if (each.startsWith("#")) continue;
    if (each.startsWith("|")) commands.at(-1)?.lines.push(each.replace(/^\| ?/, ""));
    else commands.push({ words: each.trim().split(/\s+/), lines: [] });
  }
  return commands;
}
