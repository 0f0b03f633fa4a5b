/* Parts of drawings that all plots share: text that stands in the file, and colours for light and dark screens. */

const width = 720;
const height = 400;
/** What is left for the axes. */
export const frame = { left: 72, right: width - 150, top: 84, bottom: height - 56 } as const;

const style = `
  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .small { font-size: 12px; fill: #59636e }
  .back { fill: #ffffff } .grid { stroke: #d1d9e0 } .whisker { stroke: #1f2328; stroke-width: 1.2 }
  .fill0 { fill: #2563eb } .fill1 { fill: #b45309 } .fill2 { fill: #047857 } .fill3 { fill: #7c3aed } .fill4 { fill: #6b7280 }
  .line0 { stroke: #2563eb } .line1 { stroke: #b45309 } .line2 { stroke: #047857 } .line3 { stroke: #7c3aed } .line4 { stroke: #6b7280 }
  .line { fill: none; stroke-width: 2.5 } .dashed { stroke-dasharray: 5 5; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 }
    .back { fill: #0d1117 } .grid { stroke: #30363d } .whisker { stroke: #e6edf3 }
    .fill0 { fill: #60a5fa } .fill1 { fill: #f59e0b } .fill2 { fill: #34d399 } .fill3 { fill: #c4b5fd } .fill4 { fill: #9ca3af }
    .line0 { stroke: #60a5fa } .line1 { stroke: #f59e0b } .line2 { stroke: #34d399 } .line3 { stroke: #c4b5fd } .line4 { stroke: #9ca3af }
  }`;

export function drawing(title: string, subtitle: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title><style>${style}\n</style>`,
    `<rect class="back" width="${width}" height="${height}" rx="6"/>`,
    text(20, 28, title, "title"),
    text(20, 47, subtitle, "small"),
    ...parts,
    "</svg>\n",
  ].join("\n");
}

export function text(
  x: number,
  y: number,
  words: string,
  kind = "",
  anchor: "start" | "middle" | "end" = "start",
): string {
  const cls = kind === "" ? "" : ` class="${kind}"`;
  return `<text x="${place(x)}" y="${place(y)}"${cls} text-anchor="${anchor}">${escaped(words)}</text>`;
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return `<line x1="${place(x1)}" y1="${place(y1)}" x2="${place(x2)}" y2="${place(y2)}" class="${kind}"/>`;
}

/** Horizontal lines with their numbers, and what is counted above them. */
export function yAxis(
  scale: { readonly at: (value: number) => number; readonly ticks: readonly number[] },
  label: string,
  tickText: (value: number) => string,
): string[] {
  const ticks = scale.ticks.flatMap((tick) => [
    line(frame.left, scale.at(tick), frame.right, scale.at(tick), "grid"),
    text(frame.left - 8, scale.at(tick) + 4, tickText(tick), "small", "end"),
  ]);
  return [...ticks, text(20, frame.top - 14, label, "small")];
}

export function place(value: number): string {
  return value.toFixed(1).replace(/\.0$/, "");
}

function escaped(words: string): string {
  return words.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
