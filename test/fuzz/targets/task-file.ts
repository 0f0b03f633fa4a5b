import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Item,
  TaskFileParser,
  TaskFileScanner,
} from "../../../packages/driver/src/core/task-file/index.js";
import { type Target, must, mustEqual } from "../target.js";

const corpus = fileURLToPath(new URL("../../corpus", import.meta.url));
/** A REPEAT may stand for more tasks than anybody can read. */
const mostItems = 500;

interface Reading {
  readonly items: readonly Item[];
  /** All there are. */
  readonly whole: boolean;
}

export const taskFile: Target = {
  name: "task-file",
  seeds: () =>
    readdirSync(corpus, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => readFileSync(path.join(corpus, name, "tasks"))),
  words: [
    "#DISBATCH",
    "#DISBATCH ",
    "#DISBATCH REPEAT 3 START 10 STEP 5 echo ${DISBATCH_REPEAT_INDEX}\n",
    "#DISBATCH REPEAT 9007199254740991 x\n",
    "#DISBATCH BARRIER CHECK key\n",
    "#DISBATCH PERENGINE START true\n",
    "#DISBATCH PERENGINE STOP true\n",
    "#DISBATCH PREFIX ( \n",
    "#DISBATCH SUFFIX ) &> log\n",
    " START ",
    " STEP ",
    " CHECK",
    "\r\n",
    "\r",
    "\n",
    "# ",
  ],
  check: (bytes) => {
    for (const lenient of [false, true]) {
      const { items, whole } = read([bytes], lenient);
      mustEqual(read(pieces(bytes), lenient), { items, whole }, "cut into pieces");
      checkItems(items, whole);
      const scanned = scan(bytes, lenient);
      const error = items.find((item) => item.kind === "error");
      if (!whole) continue;
      mustEqual(scanned.tasks, items.filter(({ kind }) => kind === "task").length, "tasks counted");
      mustEqual(scanned.barriers, items.filter(({ kind }) => kind === "barrier").length, "barriers counted");
      mustEqual(scanned.error?.message, error?.message, "the first error");
    }
  },
};

function read(chunks: readonly Uint8Array[], lenient: boolean): Reading {
  const parser = new TaskFileParser({ lenient });
  const items: Item[] = [];
  let fed = 0;
  while (items.length < mostItems) {
    const item = parser.next();
    if (item === "end") return { items, whole: true };
    if (item !== "needMore") items.push(item);
    else if (fed === chunks.length) parser.end();
    else parser.feed(chunks[fed++] ?? new Uint8Array(0));
  }
  return { items, whole: false };
}

function scan(bytes: Buffer, lenient: boolean): ReturnType<TaskFileScanner["end"]> {
  const scanner = new TaskFileScanner({ lenient });
  scanner.feed(bytes);
  return scanner.end();
}

/** Of lengths that depend on what is in them. */
function pieces(bytes: Buffer): readonly Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + ((bytes[at] ?? 0) % 13) * (1 + (bytes.length >> 6));
    all.push(bytes.subarray(at, at + length));
    at += length;
  }
  return all;
}

// oxlint-disable-next-line no-control-regex -- they are what is looked for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;

function checkItems(items: readonly Item[], whole: boolean): void {
  let id = 0;
  for (const [index, item] of items.entries()) {
    must(item.line >= 1, "a line has a number");
    switch (item.kind) {
      case "task":
      case "barrier":
        must(item.id === id++, "ids are contiguous");
        break;
      case "error":
        must(whole && index === items.length - 1, "an error is the last item");
        must(!unprintable.test(item.message), "an error can be printed");
        break;
      case "notice":
        must(!unprintable.test(item.message), "a notice can be printed");
        break;
      case "perEngine":
        must(id === 0, "PERENGINE comes before all tasks");
    }
    if (item.kind === "task") {
      must(!item.command.includes(0x0a) && !item.command.includes(0x0d), "a command is one line");
      must(Number.isSafeInteger(item.repeatIndex), "a repeat index is exact");
    }
  }
}
