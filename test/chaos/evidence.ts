import { execFile } from "node:child_process";
import { appendFileSync, createReadStream, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { bin } from "./driver-process.js";
import { Journal } from "./journal.js";
import type { ChaosList } from "./task-list.js";
import { type Audited, type Verdict, judge } from "./verdict.js";

const execute = promisify(execFile);

/** Looks at what a run has left in its directory. */
export async function examine(
  directory: string,
  prefix: string,
  list: ChaosList,
  killedTasks: number,
): Promise<Verdict & { readonly journalLines: number }> {
  const status = path.join(directory, `${prefix}_status.txt`);
  const journal = new Journal(list.barriers);
  const file = path.join(directory, "journal");
  // When no task has begun there is none.
  appendFileSync(file, "");
  const lines = createInterface({ input: createReadStream(file) });
  for await (const line of lines) journal.read(line);
  const rows = readFileSync(status, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  const account = journal.account();
  const audited = await audit(directory, status);
  return { ...judge({ list, rows, account, audited, killedTasks }), journalLines: account.lines };
}

async function audit(directory: string, status: string): Promise<Audited> {
  const dbutil = bin.replace(/driver$/, "dbutil");
  const args = ["audit", "--json", "--list", "tasks", status];
  const options = { cwd: directory, maxBuffer: 256 * 1024 * 1024 };
  const said = await execute(dbutil, args, options).catch((error: unknown) => {
    if (error instanceof Error && "stdout" in error && error.stdout !== "")
      return { stdout: String(error.stdout) };
    throw error;
  });
  return JSON.parse(said.stdout) as Audited;
}
