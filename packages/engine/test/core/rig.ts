import {
  type ExchangeAnswer,
  type ExchangeRequest,
  type NeedsKey,
  type Outcome,
  type QueuedTask,
  type RunInfo,
  type Wanted,
  attempt,
  decodeReport,
  encodeTask,
  engineId,
  needsKey,
  taskId,
} from "@taskmuster/kvs/protocol";
import { runInfo } from "../../../kvs/test/run-info.js";
import {
  EngineCore,
  type EnginePort,
  type EngineSettings,
  type TaskEnd,
} from "../../src/core/engine-core.js";
import { emptyDigest } from "../../src/core/output-digest.js";

export const oneCore: NeedsKey = needsKey({ cores: 1 });

/** What an engine says of itself while it runs and nothing limits it. */
export const unlimited = (usable: number) => ({ state: "running", why: "", outOf: "", usable }) as const;

export interface RigOptions {
  readonly slots?: number;
  readonly start?: readonly string[];
  readonly stop?: readonly string[];
  readonly needs?: readonly NeedsKey[];
  readonly maxReports?: number;
  readonly startMustSucceed?: boolean;
  readonly holdsFailures?: boolean;
  readonly mostAhead?: number;
  readonly perEngineEnv?: Readonly<Record<string, string>>;
}

/** One engine core on a port that writes down every call as a line of text. */
export class Rig implements EnginePort {
  readonly core: EngineCore;
  readonly #calls: string[] = [];
  readonly #envs = new Map<number, Readonly<Record<string, string>>>();
  #request: ExchangeRequest | null = null;
  #left: string | null = null;
  #needs: readonly NeedsKey[];

  /** `port`: somebody else who takes the calls. */
  constructor(options: RigOptions = {}, port?: EnginePort) {
    this.#needs = options.needs ?? [oneCore];
    const settings: EngineSettings = {
      engine: engineId("engine00"),
      host: "vm",
      slots: options.slots ?? 2,
      coresPerTask: 1,
      maxReports: options.maxReports ?? 100,
      maxBytes: 1000,
      holdsFailures: options.holdsFailures ?? false,
      perEngineEnv: options.perEngineEnv ?? {},
      ...(options.mostAhead === undefined ? {} : { mostAhead: options.mostAhead }),
    };
    const run = runInfo({
      perEngine: { start: commands(options.start ?? []), stop: commands(options.stop ?? []) },
      startMustSucceed: options.startMustSucceed ?? false,
    });
    this.core = new EngineCore(settings, port ?? this, { rank: 7, run, needs: this.#needs });
  }

  /** What was called since the last look, in order; and nothing else was. */
  calls(): readonly string[] {
    return this.#calls.splice(0);
  }

  env(tag: number): Readonly<Record<string, string>> {
    return this.#envs.get(tag) ?? {};
  }

  /** Why it left; null while it has not. */
  get left(): string | null {
    return this.#left;
  }

  /** The exchange under way. */
  get request(): ExchangeRequest {
    if (this.#request === null) throw new Error("no exchange is under way");
    return this.#request;
  }

  /** The exchange under way will have no answer. */
  dropExchange(): void {
    this.#request = null;
  }

  get exchanging(): boolean {
    return this.#request !== null;
  }

  answer(
    answer: {
      readonly tasks?: readonly QueuedTask[];
      readonly acknowledged?: number;
      readonly wanted?: Wanted;
    } = {},
    options: { readonly needs?: readonly NeedsKey[] } = {},
  ): void {
    this.#needs = options.needs ?? this.#needs;
    const whole: ExchangeAnswer = {
      tasks: [],
      acknowledged: 0,
      wanted: "run",
      needs: this.#needs,
      ...answer,
    };
    if (this.#request === null) throw new Error("no exchange is under way");
    this.#request = null;
    this.core.onExchanged(whole, 1_700_000_000);
  }

  end(tag: number, outcome: Outcome = { kind: "exited", code: 0 }, more: Partial<TaskEnd> = {}): void {
    this.core.onTaskEnds([{ ...endOf(tag), outcome, ...more }]);
  }

  /** Told together, of tasks that are over in 1 ms. */
  endAtOnce(...tags: readonly number[]): void {
    this.core.onTaskEnds(tags.map((tag) => ({ ...endOf(tag), elapsed: 0.001 })));
  }

  launch(tag: number, command: Uint8Array, env: Readonly<Record<string, string>>): void {
    this.#envs.set(tag, env);
    this.#calls.push(`launch ${tag}: id ${env["DISBATCH_TASKID"]}: ${Buffer.from(command).toString()}`);
  }

  enqueue(
    tag: number,
    command: Uint8Array,
    env: Readonly<Record<string, string>>,
    timeoutMs: number | null,
  ): void {
    this.#envs.set(tag, env);
    const within = timeoutMs === null ? "" : ` within ${timeoutMs} ms`;
    this.#calls.push(
      `enqueue ${tag}: id ${env["DISBATCH_TASKID"]}: ${Buffer.from(command).toString()}${within}`,
    );
  }

  /** Asked again before anything else happens it is the same. */
  recall(): void {
    if (this.#calls.at(-1) !== "recall") this.#calls.push("recall");
  }

  stop(tag: number, graceMs: number): void {
    this.#calls.push(`stop ${tag}, grace ${graceMs}`);
  }

  exchange(request: ExchangeRequest): void {
    if (this.#request !== null) throw new Error("two exchanges at a time");
    this.#request = request;
    this.#calls.push(shownExchange(request));
  }

  remind(): void {
    this.#calls.push("remind");
  }

  leave(why: string): void {
    this.#left = why;
    this.#calls.push("leave");
  }
}

function endOf(tag: number): TaskEnd {
  return {
    tag,
    outcome: { kind: "exited", code: 0 },
    stopped: false,
    pid: 1000 + tag,
    start: 1,
    end: 2,
    elapsed: 1,
    out: emptyDigest,
    err: emptyDigest,
    lastWords: new Uint8Array(0),
  };
}

export function queued(
  id: number,
  command = `task ${id}`,
  tries = 1,
  timeoutMs: number | null = null,
): QueuedTask {
  const numbers = { id: taskId(id), attempt: attempt(tries) };
  const rest = { line: id + 1, repeatIndex: -1, timeoutMs, command: Buffer.from(command) };
  const body = encodeTask({ ...numbers, ...rest });
  return { ...numbers, needs: oneCore, body };
}

/** `exchange SEQ: reports NUMBER kind id outcome…; releases id…; wants needs*max…; idle N; awaits`, without what is empty. */
function shownExchange(request: ExchangeRequest): string {
  const reports = request.reports.map(({ number, body, ends }) => {
    const { kind, id, attempt: tries, outcome } = decodeReport(body);
    const claim = ends === null ? "" : ` ends ${ends}`;
    return `${number} ${kind} ${id}${tries === 1 ? "" : `.${tries}`} ${shownOutcome(outcome)}${claim}`;
  });
  const parts = [
    listed("reports", reports),
    listed(
      "releases",
      request.releases.map((task) => String(task.id)),
    ),
    listed(
      "wants",
      request.wants.map(({ needs, max }) => `${needs}*${max}`),
    ),
    request.idleSlots === 0 ? "" : `idle ${request.idleSlots}`,
    request.awaitsAcknowledgement ? "awaits" : "",
  ].filter((part) => part !== "");
  return `exchange ${request.seq}: ${parts.join("; ")}`;
}

function listed(name: string, items: readonly string[]): string {
  return items.length === 0 ? "" : `${name} ${items.join(", ")}`;
}

function shownOutcome(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return `exit ${outcome.code}`;
    case "signalled":
      return `signal ${outcome.signal}`;
    case "failedToStart":
      return `errno ${outcome.errno}`;
    case "timedOut":
      return `timed out ${outcome.signal}`;
    case "lost":
    case "cancelled":
      return outcome.kind;
  }
}

function commands(texts: readonly string[]): RunInfo["perEngine"]["start"] {
  return texts.map((text, index) => ({ line: index + 1, command: Buffer.from(text) }));
}
