import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseCommandLine, parseContextLine } from "../../../packages/cli/src/command-line.js";
import { isAddress, isSummary, parseStatus } from "../../../packages/cli/src/embedding/driver-lines.js";
import { KeyReader } from "../../../packages/cli/src/monitor/keys.js";
import { readRunEnd } from "../../../packages/cli/src/monitor/run-end.js";
import { settingsOf } from "../../../packages/cli/src/settings.js";
import { UsageError } from "../../../packages/cli/src/usage-error.js";
import { type Target, must, mustEqual, unlessRefused } from "../target.js";

const directory = mkdtempSync(path.join(tmpdir(), "taskmuster-fuzz-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));

const ledger = [
  '{"kind":"run","version":1,"runId":"abcdefgh","at":"2026-11-21T00:00:00.000Z","host":"h","pid":1}',
  '{"kind":"lostEngine","at":"","engine":"abcdefgh","rank":0,"why":"lease","tasks":[{"id":1,"attempt":1}]}',
  '{"kind":"end","at":"2026-11-21T00:00:01.000Z","reason":"finished","done":7}',
  "",
].join("\n");

/** What a run's ledger says of its end. */
export const ledgers: Target = {
  name: "ledger",
  seeds: () => [Buffer.from(ledger), Buffer.from(ledger.slice(0, -20))],
  words: ["\n", '{"kind":"end"', '"done":', '"reason":', "1e999", "null", "[", "{", '"__proto__":'],
  mostBytes: 16_384,
  share: 0.1,
  check: async (bytes) => {
    const prefix = path.join(directory, "run");
    writeFileSync(`${prefix}_ledger`, bytes);
    const end = await readRunEnd(prefix);
    if (end === null) return;
    must(typeof end.reason === "string", "a reason is a text");
    must(end.done === null || (Number.isSafeInteger(end.done) && end.done >= 0), "a number of tasks is one");
  },
};

const status = '{"Flags":"    ","TaskId":7,"ReturnCode":0,"Host":"h","TaskCmd":"true"}';

/** Lines of JSON that a program which embeds a run reads. */
export const driverLines: Target = {
  name: "driver-line",
  seeds: () => [
    Buffer.from(status),
    Buffer.from('{"addresses":["unix:///tmp/s"],"private":true}'),
    Buffer.from('{"reason":"finished","message":null}'),
  ],
  words: ['"TaskId":', '"ReturnCode":', "null", "[", "{", "1e999", '"addresses":', '"__proto__":'],
  mostBytes: 4_096,
  check: (bytes) => {
    const text = bytes.toString("utf8");
    const read = parseStatus(text);
    if (read === null) return;
    must(Number.isFinite(read.TaskId) && Number.isFinite(read.ReturnCode), "a status has numbers");
    isAddress(read);
    isSummary(read);
  },
};

/** What a terminal sends. */
export const keys: Target = {
  name: "keys",
  seeds: () =>
    ["q", "\u001b[A\u001b[1;5B", "\u001bOP\u001b[5~é😀", "\u001b\u001b[", "\t\r\u007f"].map((text) =>
      Buffer.from(text),
    ),
  words: ["\u001b", "\u001b[", "\u001bO", ";", "~", "1;5A"],
  mostBytes: 1_024,
  share: 0.5,
  check: (bytes) => {
    const read = (size: number): readonly string[] => {
      const reader = new KeyReader();
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size)
        found.push(...reader.read(bytes.subarray(at, at + size)));
      found.push(...reader.flush());
      must(!reader.waits, "nothing waits after a flush");
      return found;
    };
    mustEqual(read(1 + (bytes.length % 5)), read(Math.max(1, bytes.length)), "cut into pieces");
  },
};

/** Arguments with NUL bytes between, as the system has them. */
export const commandLines: Target = {
  name: "command-line",
  seeds: () =>
    [
      ["-s", "localhost:4", "tasks"],
      ["-S", "-p", "run", "--use-address", "host:7000", "--lease", "30", "-c", "0.5", "tasks"],
      ["--kvsserver", "redis://host:7000", "-t", "3", "-E", "GPUS", "-r", "a_status.txt", "-R", "tasks"],
      ["--taskcommand", "gen", "--mailTo", "me@example.org", "--mailFreq", "5", "--loglevel", "DEBUG"],
    ].map((args) => Buffer.from(args.join("\0"))),
  words: [
    "\0",
    "-",
    "--",
    "=",
    "\0-s\0",
    "\0-c\0",
    "\0-E\0",
    "\0--fill\0",
    "\0-k\0",
    "\0--help",
    "\0-C\0",
    "\0--kvs",
  ],
  mostBytes: 2_048,
  share: 0.2,
  check: (bytes) => {
    const args = bytes.toString("utf8").split("\0");
    unlessRefused(UsageError, () => parseContextLine(args));
    const line = unlessRefused(UsageError, () => parseCommandLine(args, "1.0"));
    if (line?.kind === "run")
      unlessRefused(UsageError, () => settingsOf(line.taskFile, line.options, {}, "here"));
  },
};
