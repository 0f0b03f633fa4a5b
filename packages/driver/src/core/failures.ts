import type { RunCourse } from "./run-course.js";

/** What failures mean for the run: with fail-fast its end; else the next BARRIER CHECK asks what has failed since the barrier before it. */
export class Failures {
  readonly #course: RunCourse;
  readonly #failFast: boolean;
  #sinceBarrier = false;
  #highestTask = -1;

  constructor(course: RunCourse, failFast: boolean) {
    this.#course = course;
    this.#failFast = failFast;
  }

  /** Of a task in this run. */
  onTask(id: number, line: number): void {
    this.#highestTask = Math.max(this.#highestTask, id);
    this.onRow(id, line);
  }

  /** Of a PERENGINE command, or in a row of before. */
  onRow(id: number, line: number): void {
    this.#sinceBarrier = true;
    if (this.#failFast) this.#course.stop({ kind: "failFast", id, line });
  }

  /** A barrier is passed. True: something had failed since the one before. */
  takeSinceBarrier(): boolean {
    const failed = this.#sinceBarrier;
    this.#sinceBarrier = false;
    return failed;
  }

  /** This barrier had been passed before: what failed of the tasks before it has been looked at. */
  onPastBarrier(id: number): void {
    this.#sinceBarrier = this.#highestTask > id;
  }
}
