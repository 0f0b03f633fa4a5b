import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { normaliseStatus } from "../../../../../test/corpus-rows.js";
import { commandColumn } from "../../../src/core/status-line/index.js";
import { type Item, TaskFileScanner } from "../../../src/core/task-file/index.js";
import { readItems } from "./read-items.js";

/*
 * The corpus is run end to end elsewhere. Here: what the language alone decides of its rows, which are what disBatch wrote: kind, id, line,
 * REPEAT index and command.
 */

interface Case {
  readonly args?: readonly string[];
  readonly exit?: number;
  readonly stderrIncludes?: readonly string[];
}

const corpus = fileURLToPath(new URL("../../../../../test/corpus/", import.meta.url));
const names = readdirSync(corpus, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);

function read(name: string): { tasks: Buffer; expected: string[]; options: Case; lenient: boolean } {
  const file = (of: string): string => `${corpus}${name}/${of}`;
  const options = existsSync(file("case.json"))
    ? (JSON.parse(readFileSync(file("case.json"), "utf8")) as Case)
    : {};
  return {
    tasks: readFileSync(file("tasks")),
    expected: normaliseStatus(readFileSync(file("expected"))),
    options,
    lenient: options.args?.includes("--lenient") ?? false,
  };
}

/** Kind, id, line, index and command of a row in the file. */
function rowFacts(row: string): string {
  const cells = row.split("\t");
  const flags = cells[0] ?? "";
  const kind = flags.length === 5 ? flags.charAt(0) : flags.charAt(3).replace("S", " ");
  return [kind, cells[1], cells[2], cells[3], ...cells.slice(14)].join("\t");
}

/** The same of the items, in the order of normalised rows. */
function itemFacts(items: readonly Item[]): string[] {
  const numbers = { start: 0, stop: 0 };
  const perEngine: { readonly id: number; readonly line: number; readonly facts: string }[] = [];
  const others: string[] = [];
  for (const item of items) {
    if (item.kind === "perEngine") {
      const id = numbers[item.when]++;
      perEngine.push({
        id,
        line: item.line,
        facts: ["P", id, item.line, -1, shown(item.command)].join("\t"),
      });
    } else if (item.kind === "task") {
      others.push([" ", item.id, item.line, item.repeatIndex, shown(item.command)].join("\t"));
    } else if (item.kind === "barrier") {
      others.push([item.check ? "C" : "B", item.id, item.line, -1, shown(item.text)].join("\t"));
    }
  }
  perEngine.sort((one, other) => one.id - other.id || one.line - other.line);
  return [...perEngine.map(({ facts }) => facts), ...others];
}

function shown(command: Uint8Array): string {
  return Buffer.from(commandColumn(command)).toString();
}

describe("the corpus", () => {
  it("is there", () => {
    expect(names.length).toBeGreaterThan(40);
  });

  it.each(names.filter((name) => !name.startsWith("refused-")))("%s is read as disBatch reads it", (name) => {
    const { tasks, expected, options, lenient } = read(name);
    const facts = itemFacts(readItems(tasks, lenient));
    const rows = expected.filter((row) => !row.startsWith("ROE[")).map(rowFacts);
    // What stands after a check that failed never runs.
    const stopped = options.exit !== undefined && rows.at(-1)?.startsWith("C");
    expect(stopped ? facts.slice(0, rows.length) : facts).toEqual(rows);
    expect(normaliseStatus(Buffer.from(expected.map((row) => `${row}\n`).join("")))).toEqual(expected);
  });

  it.each(names.filter((name) => name.startsWith("refused-")))(
    "%s is refused before anything runs",
    (name) => {
      const { tasks, expected, options } = read(name);
      const scanner = new TaskFileScanner({ lenient: false });
      scanner.feed(tasks);
      const { error } = scanner.end();
      for (const text of options.stderrIncludes ?? ["no text"])
        expect(`line ${error?.line}: ${error?.message}`).toContain(text);
      expect([expected, options.exit]).toEqual([[], 1]);
    },
  );

  it.each(names.filter((name) => name.startsWith("lenient-")))("%s says what it passes over", (name) => {
    const { tasks, options, lenient } = read(name);
    const items = readItems(tasks, lenient);
    const said = items
      .map((item) => (item.kind === "notice" ? `line ${item.line}: ${item.message}` : ""))
      .join("\n");
    for (const text of options.stderrIncludes ?? ["no text"]) expect(said).toContain(text);
  });
});

describe("normaliseStatus", () => {
  it("puts rows in order and names what differs from run to run, and nothing else", () => {
    const lines = [
      "R E \t2\t4\t-1\tvm\t-1\t7\t0.000\t1.000\t1.000\t0\t''\t9\t'too long'\tx\ty",
      "R   \t1\t3\t-1\tvm\t-1\t-100\t0.000\t1.000\t1.000\t0\t''\t0\t''\tsleep 9",
      " O P\t0\t9\t-1\tvm\t12\t0\t0.100\t1.000\t1.100\t2\t'b'\t0\t''\tstop",
      "not a row",
      " O P\t0\t2\t-1\tvm\t11\t0\t0.100\t1.000\t1.100\t2\t'a'\t0\t''\tstart",
      "ROE[ PSZ]\tTaskID\tLineNum",
      "B    \t10\t8\t-1\tvm\t1\t0\t0.100\t1.000\t1.100\t0\t''\t0\t''\t#DISBATCH BARRIER",
      "    \t3",
    ];
    expect(normaliseStatus(Buffer.from(lines.join("\n")))).toEqual([
      "ROE[ PSZ]\tTaskID\tLineNum",
      " O P\t0\t2\t-1\t@node\t@pid\t0\t@t\t@t\t@t\t2\t'a'\t0\t''\tstart",
      " O P\t0\t9\t-1\t@node\t@pid\t0\t@t\t@t\t@t\t2\t'b'\t0\t''\tstop",
      "R   \t1\t3\t-1\t@node\t-1\t-100\t@t\t@t\t@t\t0\t''\t0\t''\tsleep 9",
      "R E \t2\t4\t-1\t@node\t-1\t7\t@t\t@t\t@t\t0\t''\t@n\t@why\tx\ty",
      "B    \t10\t8\t-1\t@node\t@pid\t0\t@t\t@t\t@t\t0\t''\t0\t''\t#DISBATCH BARRIER",
      "not a row",
      "@torn     \t3",
    ]);
  });
});
