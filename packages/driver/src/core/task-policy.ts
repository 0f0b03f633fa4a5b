/** What becomes of a task that fails or takes too long. All tasks of which the same is said share one. */
export interface TaskPolicy {
  /** So many times it is run again after a failure. Losses do not count. */
  readonly retries: number;
  /** Before the first of them; doubled before each further one, see `retryDelayMs`. */
  readonly retryDelayMs: number;
  /** It is stopped when it has run for so long; null: never. */
  readonly timeoutMs: number | null;
}

/** What directives say for the tasks after them; what is not there is as the options say. */
export type TaskRules = Partial<TaskPolicy>;

export const plainPolicy: TaskPolicy = { retries: 0, retryDelayMs: 1000, timeoutMs: null };

/** Makes policies of rules; tasks with the same rules come one after the other. */
export class Policies {
  readonly #options: TaskPolicy;
  #rules: TaskRules | undefined;
  #policy: TaskPolicy;

  constructor(options: TaskPolicy) {
    this.#options = options;
    this.#policy = options;
  }

  /** `undefined`: no directive has said anything. */
  of(rules: TaskRules | undefined): TaskPolicy {
    if (rules !== this.#rules) {
      this.#rules = rules;
      this.#policy = { ...this.#options, ...rules };
    }
    return this.#policy;
  }
}
