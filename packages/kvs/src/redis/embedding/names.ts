/*
 * The keys by which a program in any language hands over tasks and gets their results: disBatch's names, without a prefix, each a Redis list.
 * Where disBatch says "put" it is RPUSH, where it says "get" it is BLPOP. Written for others to use: docs/protocol.md.
 */

/** What a program pushes to say how it will talk. */
export interface SignIn {
  /** Of the program's work, for people. */
  readonly name: string;
  /** This instead of a task: no more come. */
  readonly doneTask: Buffer;
  /** Begins the names of the lists with results. */
  readonly resultKey: string;
  /** The list into which tasks are pushed. */
  readonly taskKey: string;
}

/** In the order in which they are pushed. */
export const signInKeys = [
  "task source name",
  "task source done task",
  "task source result key",
  "task source task key",
] as const;

/** Ids of tasks whose results wait to be fetched. */
export function doneTasksKey(resultKey: string): string {
  return `${resultKey} done tasks`;
}

/** One element when the run has ended: `{"reason", "message"}` in JSON. */
export function endKey(resultKey: string): string {
  return `${resultKey} end`;
}

/** How far the driver has read and written. */
export function driverPositionsKey(taskKey: string): string {
  return `${taskKey} driver`;
}

/** How far a `TaskClient` has; programs that only push and pop need none. */
export function clientPositionsKey(taskKey: string): string {
  return `${taskKey} client`;
}
