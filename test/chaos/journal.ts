/* What the tasks themselves told, line by line, in the order in which the kernel appended it. */

export interface Attempt {
  readonly id: number;
  /** Of the shell that ran it. */
  readonly name: string;
  readonly rank: number;
  readonly startedAt: number;
  /** It came to its end. */
  readonly ended: boolean;
}

export interface Account {
  /** By task id, in the order of their starts. */
  readonly attempts: ReadonlyMap<number, readonly Attempt[]>;
  /** Two attempts of one task at the same time, a task before the barrier in front of it was passed; for people. */
  readonly faults: readonly string[];
  readonly lines: number;
}

interface Running {
  readonly id: number;
  readonly name: string;
  readonly rank: number;
  readonly startedAt: number;
  ended: boolean;
}

const pattern = /^(start|on|end) (\d+) (\d+(?:\.\d+)+) (\d+) (\S+) (\d+\.\d+)$/;
const mostFaults = 100;

/** Reads a journal line by line. `barriers`: ids, in order. */
export class Journal {
  readonly #barriers: readonly number[];
  readonly #attempts = new Map<number, Running[]>();
  readonly #faults: string[] = [];
  #lines = 0;
  /** The section that the newest task belongs to: barriers before it. */
  #section = 0;

  constructor(barriers: readonly number[]) {
    this.#barriers = barriers;
  }

  read(line: string): void {
    this.#lines++;
    const [, word, idText, name = "", rank, , time] = pattern.exec(line) ?? [];
    const id = Number(idText);
    if (word === undefined) return this.#fault(`line ${this.#lines} of the journal is none: ${line}`);
    const tries = this.#attempts.get(id) ?? [];
    if (word === "start") {
      this.#attempts.set(id, tries);
      tries.push({ id, name, rank: Number(rank), startedAt: Number(time), ended: false });
    }
    const newest = tries.at(-1);
    if (newest?.name !== name) {
      this.#fault(
        `task ${id} ran twice at once: line ${this.#lines}, "${line}", comes after the start of attempt ${newest?.name ?? "none"}`,
      );
    } else if (word !== "start" && newest.ended)
      this.#fault(`task ${id} went on after its end: line ${this.#lines}`);
    if (word === "end" && newest?.name === name) newest.ended = true;
    this.#inOrder(id);
  }

  account(): Account {
    return { attempts: this.#attempts, faults: this.#faults, lines: this.#lines };
  }

  /** Nothing of a section is heard of when a later one has begun. */
  #inOrder(id: number): void {
    let section = this.#section;
    while (section < this.#barriers.length && id > (this.#barriers[section] ?? Infinity)) section++;
    if (section > this.#section) this.#section = section;
    else if (section > 0 && id < (this.#barriers[section - 1] ?? 0))
      this.#fault(`task ${id} ran behind barrier ${this.#barriers[section - 1]}: line ${this.#lines}`);
  }

  #fault(what: string): void {
    if (this.#faults.length < mostFaults) this.#faults.push(what);
  }
}
