/** A place in a list that changes: it stays with its item while there is one, and on the screen. */
export interface Cursor {
  readonly key: string | null;
  readonly index: number;
  /** The first item shown. */
  readonly top: number;
}

export const firstItem: Cursor = { key: null, index: 0, top: 0 };

/** The cursor after the list, or the number of items that fit on the screen, has changed. */
export function follow(cursor: Cursor, keys: readonly string[], height: number): Cursor {
  const found = cursor.key === null ? -1 : keys.indexOf(cursor.key);
  return at(cursor, found === -1 ? cursor.index : found, keys, height);
}

/** Moves by so many items, no further than the ends. */
export function moved(cursor: Cursor, by: number, keys: readonly string[], height: number): Cursor {
  return at(cursor, cursor.index + by, keys, height);
}

function at(cursor: Cursor, wanted: number, keys: readonly string[], height: number): Cursor {
  const index = Math.max(0, Math.min(wanted, keys.length - 1));
  const lowest = Math.max(0, keys.length - height);
  const top = Math.min(Math.max(Math.min(cursor.top, index), index - height + 1, 0), lowest);
  return { key: keys[index] ?? null, index, top };
}

/** How far a key moves in a list of which `height` items are shown; null: it is none of these keys. */
export function stepOf(key: string, height: number): number | null {
  switch (key) {
    case "up":
    case "u":
    case "k":
      return -1;
    case "down":
    case "d":
    case "j":
      return 1;
    case "pageup":
    case "ctrl-b":
      return -Math.max(1, height - 1);
    case "pagedown":
    case "ctrl-f":
      return Math.max(1, height - 1);
    case "home":
      return -Infinity;
    case "end":
    case "G":
      return Infinity;
    default:
      return null;
  }
}
