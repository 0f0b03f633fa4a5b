import { TaskmusterError } from "@taskmuster/kvs";
import type { Bell } from "./bell.js";
import type { DriverCore } from "./core/driver-core.js";
import { identityOf } from "./core/resume-index.js";
import { type StatusRow, commandColumn } from "./core/status-line/index.js";
import type { Item } from "./core/task-file/index.js";
import type { ResumeFiles } from "./resume.js";
import { ResumeMismatchError } from "./resume.js";
import type { TaskSource } from "./task-source/task-source.js";

export interface ResumeChoice {
  readonly files: ResumeFiles;
  /** `-R`: failed tasks run again. */
  readonly retryFailed: boolean;
  /** `--force-resume`: a row of another text counts too. */
  readonly force: boolean;
}

type TaskItem = Extract<Item, { kind: "task" }>;

/** The row of an earlier run that makes this task one to skip; null: it runs. Throws `ResumeMismatchError`. */
async function rowToSkipBy(task: TaskItem, resume: ResumeChoice): Promise<StatusRow | null> {
  const found = resume.files.index.find(task.id);
  if (found === null || runsAgain(found, resume)) return null;
  const same = found.identity === identityOf(task.line, task.repeatIndex, commandColumn(task.command));
  const row = await resume.files.row(found);
  if (!same && !resume.force) throw new ResumeMismatchError(mismatch(task, row));
  return row;
}

/** With `-R` a task whose best row is a failure runs again, whatever its text was. */
export function runsAgain(found: { readonly returnCode: number }, resume: ResumeChoice): boolean {
  return resume.retryFailed && found.returnCode !== 0;
}

/** What differs between a task and the row that an earlier run has for its id. */
export function mismatch(task: TaskItem, row: StatusRow): string {
  const was = `line ${row.line}${row.repeatIndex === -1 ? "" : `, repeat ${row.repeatIndex}`}: ${shown(row.command)}`;
  const is = `line ${task.line}${task.repeatIndex === -1 ? "" : `, repeat ${task.repeatIndex}`}: ${shown(task.command)}`;
  return (
    `Recovery status file task mismatch (use --force-resume to proceed anyway): ` +
    `task ${task.id} was\n    ${was}\n  in the status file, and is\n    ${is}\n  in the list`
  );
}

/** Feeds the core items of the list as it has room for them. */
export class Feeder {
  readonly #core: DriverCore;
  readonly #source: TaskSource;
  readonly #resume: ResumeChoice | null;
  readonly #room: Bell;
  readonly #onNotice: (message: string) => void;
  #items: readonly Item[];

  /** `first`: items that were read already. `room` rings when the core may want items. */
  constructor(parts: {
    readonly core: DriverCore;
    readonly source: TaskSource;
    readonly first: readonly Item[];
    readonly resume: ResumeChoice | null;
    readonly room: Bell;
    readonly onNotice: (message: string) => void;
  }) {
    this.#core = parts.core;
    this.#source = parts.source;
    this.#items = parts.first;
    this.#resume = parts.resume;
    this.#room = parts.room;
    this.#onNotice = parts.onNotice;
  }

  /** Until the list is at its end or the run is. `afterBatch` is called when the core has news. */
  async run(afterBatch: () => void): Promise<void> {
    try {
      let next = 0;
      while (this.#core.phase === "running") {
        if (!this.#core.wantsItems) {
          afterBatch();
          await this.#room.wait();
          continue;
        }
        if (next >= this.#items.length) {
          afterBatch();
          this.#items = await this.#source.read(Math.min(batch, Math.max(1, this.#core.roomForItems)));
          next = 0;
          if (this.#items.length > 0) continue;
          this.#core.onEndOfItems(Date.now());
          return;
        }
        const item = this.#items[next++];
        if (item !== undefined) await this.#take(item);
      }
    } catch (error) {
      if (!(error instanceof TaskmusterError) || error.code === "E_BUG") throw error;
      this.#core.onBadInput(error.message, Date.now());
    } finally {
      afterBatch();
    }
  }

  async #take(item: Item): Promise<void> {
    switch (item.kind) {
      case "task": {
        const row = this.#resume === null ? null : await rowToSkipBy(item, this.#resume);
        if (row === null) this.#core.onTask(item);
        else this.#core.onSkipped(row);
        return;
      }
      case "barrier":
        this.#core.onBarrier(item, Date.now());
        return;
      case "notice":
        this.#onNotice(`line ${item.line}: ${item.message}`);
        return;
      case "error":
        this.#core.onBadInput(`${this.#source.name}, line ${item.line}: ${item.message}`, Date.now());
        return;
      case "perEngine":
        throw new TaskmusterError("E_BUG", `line ${item.line}: PERENGINE after the engines have started`);
    }
  }
}

const batch = 512;

function shown(command: Uint8Array): string {
  const text = new TextDecoder().decode(command.subarray(0, 200));
  return command.length > 200 ? `${text}…` : text;
}
