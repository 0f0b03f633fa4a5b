import { TaskmusterError } from "@taskmuster/kvs";
import type { Bell } from "./bell.js";
import type { DriverCore } from "./core/driver-core.js";
import type { Inheritance } from "./core/inheritance.js";
import type { FoundRow } from "./core/resume-index.js";
import { identityOf } from "./core/row-scanner.js";
import { type StatusRow, commandColumn } from "./core/status-line/index.js";
import type { Item } from "./core/task-file/index.js";
import type { ResumeFiles } from "./resume.js";
import { ResumeMismatchError } from "./resume.js";
import { SkippedRows } from "./skipped-rows.js";
import type { TaskSource } from "./task-source/task-source.js";

export interface ResumeChoice {
  readonly files: ResumeFiles;
  /** `-R`: failed tasks run again. */
  readonly retryFailed: boolean;
  /** `--force-resume`: a row of another text counts too. */
  readonly force: boolean;
}

type TaskItem = Extract<Item, { kind: "task" }>;

/** Where the row of an earlier run is that makes this task one to skip; null: it runs. */
function rowToSkipBy(task: TaskItem, resume: ResumeChoice): FoundRow | null {
  const found = resume.files.index.find(task.id);
  return found === null || runsAgain(found, resume) ? null : found;
}

function isOf(found: FoundRow, task: TaskItem): boolean {
  return found.identity === identityOf(task.line, task.repeatIndex, commandColumn(task.command));
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
  readonly #inherited: Inheritance | null;
  readonly #mayBegin: Promise<void> | null;
  readonly #room: Bell;
  readonly #onNotice: (message: string) => void;
  readonly #skipped: SkippedRows | null;
  #items: readonly Item[];

  /** `first`: items that were read already. `room` rings when the core may want items. */
  constructor(parts: {
    readonly core: DriverCore;
    readonly source: TaskSource;
    readonly first: readonly Item[];
    readonly resume: ResumeChoice | null;
    /** What a driver before this one has published. */
    readonly inherited?: Inheritance | null;
    /** Nothing is fed before. Does not reject. */
    readonly mayBegin?: Promise<void> | null;
    readonly room: Bell;
    readonly onNotice: (message: string) => void;
  }) {
    this.#core = parts.core;
    this.#source = parts.source;
    this.#items = parts.first;
    this.#resume = parts.resume;
    const { core, resume } = parts;
    this.#skipped = resume && new SkippedRows(resume.files, (rows) => core.onCopied(rows));
    this.#inherited = parts.inherited ?? null;
    this.#mayBegin = parts.mayBegin ?? null;
    this.#room = parts.room;
    this.#onNotice = parts.onNotice;
  }

  /**
   * Until the list is at its end or the run is. `afterBatch` is called when the core has news; the next items are read when what it
   * answers has resolved.
   */
  async run(afterBatch: () => Promise<void> | null): Promise<void> {
    try {
      if (this.#mayBegin !== null) await this.#mayBegin;
      let next = 0;
      while (this.#core.phase === "running") {
        if (!this.#core.wantsItems) {
          this.#skipped?.flush();
          await afterBatch();
          await this.#room.wait();
          continue;
        }
        if (next >= this.#items.length) {
          // One that is not full is all that a stream has for now.
          if (this.#skipped?.isMuch === true || this.#items.length < resumedItems) this.#skipped?.flush();
          await afterBatch();
          this.#items = await this.#source.read(this.#batch);
          next = 0;
          if (this.#items.length > 0) continue;
          this.#core.onEndOfItems(Date.now());
          return;
        }
        const item = this.#items[next++];
        if (item?.kind === "task") {
          // A promise only where there is something to wait for: there may be a million tasks to skip.
          const waits = this.#takeTask(item);
          if (waits !== null) await waits;
        } else if (item !== undefined) this.#take(item);
      }
    } catch (error) {
      if (!(error instanceof TaskmusterError) || error.code === "E_BUG") throw error;
      this.#core.onBadInput(error.message, Date.now());
    } finally {
      this.#skipped?.flush();
      await afterBatch();
    }
  }

  /** Of a list that is resumed most may be passed over, and needs no room. */
  get #batch(): number {
    const skips = this.#resume !== null || this.#inherited !== null;
    return skips ? resumedItems : Math.min(mostItems, Math.max(1, this.#core.roomForItems));
  }

  #takeTask(task: TaskItem): Promise<void> | null {
    const inherited = this.#inherited;
    if (inherited !== null && this.#core.past.isKnown(task.id)) {
      this.#core.sawItem(task.id);
      return null;
    }
    const resume = this.#resume;
    const skipped = this.#skipped;
    const found = resume === null ? null : rowToSkipBy(task, resume);
    if (resume === null || skipped === null || found === null) {
      this.#core.onTask(task, inherited === null ? null : inherited.find(task.id));
      return null;
    }
    if (!resume.force && !isOf(found, task))
      return resume.files.row(found).then((row) => {
        throw new ResumeMismatchError(mismatch(task, row));
      });
    const waits = skipped.add(found);
    this.#core.onSkipped(task.id, task.line, found.returnCode);
    return waits;
  }

  #take(item: Exclude<Item, { kind: "task" }>): void {
    // Rows of what stands before a barrier come before its own.
    this.#skipped?.flush();
    switch (item.kind) {
      case "barrier":
        if (this.#wasPassed(item.id)) {
          this.#core.sawItem(item.id);
          this.#core.past.onBarrier(item, Date.now());
        } else this.#core.onBarrier(item, Date.now());
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

  /** By a driver before this one. */
  #wasPassed(barrier: number): boolean {
    const inherited = this.#inherited;
    return inherited !== null && (this.#core.past.isKnown(barrier) || inherited.wasPassed(barrier));
  }
}

const mostItems = 1024;
const resumedItems = 1024;

function shown(command: Uint8Array): string {
  const text = new TextDecoder().decode(command.subarray(0, 200));
  return command.length > 200 ? `${text}…` : text;
}
