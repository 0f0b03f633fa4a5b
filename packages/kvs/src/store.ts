import type {
  AnnounceAnswer,
  AnnounceRequest,
  Beat,
  ClaimedTask,
  EngineId,
  EnrolAnswer,
  EnrolRequest,
  ExchangeAnswer,
  ExchangeRequest,
  FencingToken,
  Greeting,
  JoinAnswer,
  JoinRequest,
  QueuedTask,
  ReceivedReports,
  ReceivedRequests,
  RemainingContext,
  RemainingEngine,
  RenewAnswer,
  RenewRequest,
  Reopening,
  Scope,
  Snapshot,
  Takeover,
  Wanted,
} from "./protocol/index.js";

export type * from "./protocol/exchange.js";

/**
 * The port between driver, engines and the key-value store. The store is a rebuildable cache: the
 * status file is the truth about what has finished, engines are the truth about what is running.
 *
 * Every verb that changes something may be repeated with the same arguments after its answer was
 * lost: driver verbs name an absolute position (`number`, `upTo`), engine verbs carry a sequence
 * number and a repetition gets the stored answer. Every verb may throw `KvsLostError` (the store
 * forgot the run) and `KvsClosedError`; driver verbs throw `FencedError` when their token is no longer
 * the run's.
 */
export interface KvsStore extends DriverVerbs, ContextVerbs, EngineVerbs {
  /** What an engine has claimed and not reported, the first `max` of it, as a monitor shows it. */
  claimsOf(engine: EngineId, max: number): Promise<readonly QueuedTask[]>;

  /** What a monitor, or the driver's sweep for lost engines, looks at. Bounded by the number of engines. */
  snapshot(): Promise<Snapshot>;

  /**
   * Waits until somebody rings, or `timeoutMs` has passed. Only a doorbell: a ring may be late or
   * spurious, so whoever waits looks again. Needs its own connection per caller.
   */
  waitForBell(whose: "driver" | EngineId, timeoutMs: number): Promise<"rung" | "timeout">;

  /** Closes this client's connections. Calls under way reject with `KvsClosedError`. Twice is fine. */
  disconnect(): Promise<void>;
}

export interface DriverVerbs {
  /**
   * Creates the run, or takes it over, and answers the new fencing token. `info` is what engines get when
   * they join (see `encodeRunInfo`). With `reopening` after the store has forgotten: see there.
   */
  open(info: Uint8Array, reopening?: Reopening): Promise<FencingToken>;

  /**
   * After `open` in a store that has forgotten: contexts and engines as they are remembered. The engines are members, but awaited: they can do
   * nothing before they `announce` themselves; their bells are rung. Of those that have done so already only an order counts. Of a limit
   * what is granted beyond the last time is added. At most some hundred at a time.
   */
  restore(
    token: FencingToken,
    contexts: readonly RemainingContext[],
    engines: readonly RemainingEngine[],
  ): Promise<void>;

  /** Says that the driver knows of this engine. Null: the store does not. */
  greet(token: FencingToken, engine: EngineId): Promise<Greeting | null>;

  /**
   * Takes a run over whose driver is gone, at one stroke: a new fencing token, queues emptied, the run's own order lifted. Engines, what
   * they have claimed, and reports that are not acknowledged stay as they are. Null: there is no such run. Repeated it raises the
   * token once more.
   */
  takeOver(): Promise<Takeover | null>;

  /**
   * Appends tasks to their queues (`front`: puts them before all others, for re-offers) and rings as
   * many idle engines as they can occupy. `number` counts this driver's publishes from 1; a number not above the
   * last one is a repetition and changes nothing.
   */
  publish(
    token: FencingToken,
    number: number,
    tasks: readonly QueuedTask[],
    where?: "back" | "front",
  ): Promise<void>;

  /** Takes a queued task back that nobody has claimed yet. False: it is not in its queue. */
  withdraw(token: FencingToken, task: QueuedTask): Promise<boolean>;

  /**
   * At most `max` reports from position `from` on (the oldest that is not acknowledged, if that is later or none is named), without
   * taking them away.
   */
  receive(token: FencingToken, max: number, from?: number): Promise<ReceivedReports>;

  /**
   * Drops all reports before position `upTo` (they are on disk) and lets the engines forget them.
   * Engines that wait for this are rung.
   */
  acknowledge(token: FencingToken, upTo: number): Promise<void>;

  /** Sets what the run, a context or an engine shall do. The strongest of the three holds for an engine. Rings them. */
  order(token: FencingToken, scope: Scope, wanted: Wanted): Promise<void>;

  /**
   * Ends an engine's membership: it can claim nothing from now on, and is told to stop when it asks.
   * Answers what it had claimed and not reported. Reports that it still sends are received. `why` is for people.
   */
  expel(token: FencingToken, engine: EngineId, why: string): Promise<readonly ClaimedTask[]>;

  /**
   * The same for one whose lease has run out, unless it has renewed since it was looked at: then null, and nothing has changed.
   * `renewal`: its counter at that look.
   */
  expire(
    token: FencingToken,
    engine: EngineId,
    why: string,
    renewal: number,
  ): Promise<readonly ClaimedTask[] | null>;

  /** The driver lives, and says how the run is doing. Unsequenced. Answers what others have asked of it. */
  beat(token: FencingToken, beat: Beat): Promise<ReceivedRequests>;

  /**
   * Leaves a mark for other programs: appends `value` to the run's list `key` (`BARRIER key`). The value that was
   * appended last under this key is a repetition and changes nothing.
   */
  post(token: FencingToken, key: string, value: string): Promise<void>;

  /** Deletes every key of the run. Engines that ask afterwards are told that the run is over. */
  close(token: FencingToken): Promise<void>;
}

/** For whoever starts engines, and for people who look at a run and steer it. */
export interface ContextVerbs {
  /**
   * Announces a context before any of its engines joins; with the same nonce again it tells news of itself. A limit holds
   * exactly: a claim that is released gives its credit back.
   */
  enrol(request: EnrolRequest): Promise<EnrolAnswer>;

  /**
   * Asks something of the driver (see `encodeRequest`), which hears of it with its next beat. False: there is no such run. Throws
   * `KvsError` when a thousand requests wait already, and on one with more than 65,536 bytes. Repeated after a lost answer it may be there twice; every
   * request means the same then.
   */
  ask(request: Uint8Array): Promise<boolean>;
}

export interface EngineVerbs {
  /** Becomes a member. Repeated with the same id it is the same membership. A run that is ordered to stop takes nobody in (`noRun`). */
  join(request: JoinRequest): Promise<JoinAnswer>;

  /**
   * Becomes a member again in a store that has forgotten, with the same id, rank and claims. Until the last part it is awaited. A part
   * that was there before (by `seq`) changes nothing.
   */
  announce(request: AnnounceRequest): Promise<AnnounceAnswer>;

  /**
   * Hands reports and unstarted tasks in and claims the next ones, in one round trip. One at a time per engine;
   * `seq` counts from 1. A repetition gets the same tasks (none if the engine was expelled since: nobody may start them)
   * beside the present state of the rest. Throws `KvsError` on a `seq` lower than the last.
   */
  exchange(request: ExchangeRequest): Promise<ExchangeAnswer>;

  /** The engine lives. Unsequenced; a higher `counter` than ever before renews the lease. */
  renew(request: RenewRequest): Promise<RenewAnswer>;

  /**
   * Ends the membership in good order. Refused (`false`) as long as the engine holds claims. Its reports are kept
   * until they are acknowledged. `why` is for people. Rings the driver.
   */
  leave(engine: EngineId, why: string): Promise<boolean>;
}
