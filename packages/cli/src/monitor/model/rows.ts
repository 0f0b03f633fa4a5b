import type { ContextPicture, EnginePicture, NodePicture, Picture } from "./picture.js";

export const sorts = ["rank", "host", "busy", "done", "failed", "last"] as const;
/** `last`: when it was last heard. */
export type Sort = (typeof sorts)[number];

/** What of the contexts and engines is shown, and in which order. */
export interface TreeView {
  readonly sort: Sort;
  /** Words that must all occur in host, context or state. */
  readonly filter: string;
  /** Keys of contexts whose engines are not shown. */
  readonly collapsed: ReadonlySet<string>;
  readonly showGone: boolean;
}

export type Row = ContextPicture | EnginePicture | NodePicture;

export interface Tree {
  readonly rows: readonly Row[];
  /** Engines that are gone and not shown. */
  readonly hiddenGone: number;
}

/** What is gone for so long is hidden, unless asked for. */
const goneShownMs = 60_000;

export function treeOf(picture: Picture, view: TreeView, now: number): Tree {
  const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const isOver = (goneSince: number | null) =>
    !view.showGone && goneSince !== null && now - goneSince > goneShownMs;
  const rows: Row[] = [];
  let hiddenGone = 0;
  for (const context of picture.contexts) {
    if (isOver(context.goneSince)) {
      hiddenGone += context.members.filter(({ kind }) => kind === "engine").length;
      continue;
    }
    const here: (EnginePicture | NodePicture)[] = [];
    for (const member of context.members) {
      if (member.kind === "engine" && isOver(member.goneSince)) hiddenGone++;
      else here.push(member);
    }
    const shown = words.length === 0 ? here : here.filter((member) => matches(words, member, context));
    if (words.length > 0 && shown.length === 0 && !matches(words, context, context)) continue;
    rows.push(context);
    if (!view.collapsed.has(context.key)) rows.push(...sorted(shown, view.sort));
  }
  return { rows, hiddenGone };
}

function matches(words: readonly string[], row: Row, context: ContextPicture): boolean {
  const { kind, why } = row.condition;
  const text = `${row.host} ${context.label} ${context.method} ${kind} ${why}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Engines first, then nodes without one. */
function sorted(
  members: readonly (EnginePicture | NodePicture)[],
  sort: Sort,
): readonly (EnginePicture | NodePicture)[] {
  const engines = members.filter((member) => member.kind === "engine");
  const nodes = members.filter((member) => member.kind === "node");
  return [...engines.toSorted((a, b) => compare(a, b, sort) || a.rank - b.rank), ...nodes];
}

/** Most first, where there is a most: what is looked for stands on top. */
function compare(a: EnginePicture, b: EnginePicture, sort: Sort): number {
  switch (sort) {
    case "rank":
      return 0;
    case "host":
      return a.hostOrder < b.hostOrder ? -1 : a.hostOrder > b.hostOrder ? 1 : 0;
    case "busy":
      return b.busy - a.busy;
    case "done":
      return b.done - a.done;
    case "failed":
      return b.failed - a.failed;
    case "last":
      return b.heardMs - a.heardMs;
  }
}
