import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Audit, auditFile } from "@taskmuster/driver/audit";
import { auditExitOf } from "./audit-exit.js";
import { auditJson } from "./audit-json.js";
import { auditText } from "./audit-text.js";

/** Prints what a status file and its ledger tell. Answers the exit status. Throws `TaskmusterError`. */
export async function audit(
  statusFile: string,
  options: { readonly json?: true; readonly all?: true; readonly list?: string },
  stdout: NodeJS.WritableStream,
): Promise<number> {
  const found = await auditFile(statusFile, { list: options.list ?? null });
  const taskFile = options.list ?? taskFileOf(found);
  await write(
    options.json === true
      ? auditJson(found, taskFile)
      : withLineEnds(auditText(found, { all: options.all === true, taskFile })),
    stdout,
  );
  return auditExitOf(found);
}

/** As it can be named from here. A list that came as a stream was kept. */
function taskFileOf({ parts }: Audit): string {
  const { file, section } = parts;
  const spool = file.path.replace(/_status(?:_\d+)?\.txt$/, "_tasks");
  if (spool !== file.path && existsSync(spool)) return spool;
  const run = section?.run ?? null;
  if (run === null || run.taskFile === "" || run.taskFile === "-") return "TASKFILE";
  return resolve(run.cwd) === resolve(".") ? run.taskFile : resolve(run.cwd, run.taskFile);
}

function* withLineEnds(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `${line}\n`;
}

/** Lists may be long: no more is made of them than has been taken. A reader that has gone (`| head`) ends it. */
async function write(pieces: Iterable<string>, stdout: NodeJS.WritableStream): Promise<void> {
  let text = "";
  const flush = (): Promise<boolean> =>
    new Promise((done) => {
      stdout.write(text, (error) => done(error === undefined || error === null));
    });
  for (const piece of pieces) {
    text += piece;
    if (text.length < pieceBytes) continue;
    if (!(await flush())) return;
    text = "";
  }
  await flush();
}

const pieceBytes = 64 * 1024;
