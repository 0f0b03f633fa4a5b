/** Ids are branded so that one noun's id cannot be passed where another's is meant. */
export type Brand<Value, Name extends string> = Value & { readonly __brand: Name };

/** One execution of a list. Lower-case letters and digits; part of every key of the run. */
export type RunId = Brand<string, "RunId">;
/** One engine process. Chosen by whoever starts it and never used again, so a repeated join is one join. */
export type EngineId = Brand<string, "EngineId">;
/** A batch of resources that joined together; the label in file names (`SSH0`, `J1234`, or `-l`). */
export type ContextId = Brand<string, "ContextId">;
/** 0-based number of a task or barrier in the list. */
export type TaskId = Brand<number, "TaskId">;
/** 1 for the first try at a task. */
export type Attempt = Brand<number, "Attempt">;

const runIdPattern = /^[a-z0-9]{8,40}$/;

/** Throws a `RangeError` unless `text` is 8 to 40 lower-case letters and digits. */
export function runId(text: string): RunId {
  if (!runIdPattern.test(text)) throw new RangeError(`not a run id: ${JSON.stringify(text)}`);
  return text as RunId;
}

export function isEngineId(text: string): boolean {
  return runIdPattern.test(text);
}

export function engineId(text: string): EngineId {
  if (!isEngineId(text)) throw new RangeError(`not an engine id: ${JSON.stringify(text)}`);
  return text as EngineId;
}

export function contextId(text: string): ContextId {
  return text as ContextId;
}

export function taskId(value: number): TaskId {
  return value as TaskId;
}

export function attempt(value: number): Attempt {
  return value as Attempt;
}
