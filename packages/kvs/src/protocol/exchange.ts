import type { Attempt, ContextId, EngineId, TaskId } from "./ids.js";
import type { NeedsKey } from "./needs.js";

/* What passes between driver, engines and the store, as values. The verbs stand in `store.ts`. */

/** Raised by every driver that opens or takes over a run; a lower token is refused from then on. */
export type FencingToken = number;

/** A task as the store holds it; `body` is opaque to the store (see `encodeTask`). */
export interface QueuedTask {
  readonly id: TaskId;
  readonly attempt: Attempt;
  readonly needs: NeedsKey;
  readonly body: Uint8Array;
}

/** `run` < `hold` (take nothing new for now) < `drain` (finish what runs, and leave) < `stop` (stop it now). */
export type Wanted = "run" | "hold" | "drain" | "stop";

export type Scope =
  | { readonly kind: "run" }
  | { readonly kind: "context"; readonly context: ContextId }
  | { readonly kind: "engine"; readonly engine: EngineId };

export interface ClaimedTask {
  readonly id: TaskId;
  readonly attempt: Attempt;
}

/** What a driver finds that takes a run over. */
export interface Takeover {
  readonly token: FencingToken;
  /** What engines have claimed and not reported, lowest id first: they go on with it. */
  readonly claims: readonly ClaimedTask[];
  /** What expelled engines had claimed: attempts that were given up. Of engines long gone it is forgotten. */
  readonly expelled: readonly ClaimedTask[];
}

export interface ReceivedReports {
  /** Position of the first report; positions count from 0 over the whole run. */
  readonly from: number;
  readonly reports: readonly ReceivedReport[];
}

export interface ReceivedReport {
  readonly engine: EngineId;
  /** The engine's own count of its reports, from 1. */
  readonly number: number;
  /** See `decodeReport`. */
  readonly body: Uint8Array;
}

export interface EnrolRequest {
  /** Name wanted; a `#` in it stands for the context's rank. */
  readonly label: string;
  /** A name that is taken is refused; else a number is added to it. */
  readonly exactLabel: boolean;
  /** Random; the same one again is the same context, with news of itself. */
  readonly nonce: string;
  /** See `encodeContextInfo`. */
  readonly info: Uint8Array;
  /** At most so many claims that are not given back (`-C`); null: no limit. Counts when first enrolled. */
  readonly limit: number | null;
}

export type EnrolAnswer =
  | {
      readonly kind: "enrolled";
      readonly context: ContextId;
      /** 0.. over the whole run, in order of enrolling. */
      readonly rank: number;
      /** See `decodeRunInfo`. */
      readonly runInfo: Uint8Array;
    }
  /** Another context has or had this name. */
  | { readonly kind: "taken" }
  | { readonly kind: "noRun" };

/** What the driver says with its beat. */
export interface Beat {
  /** See `encodeRunState`; empty: as before. */
  readonly state: Uint8Array;
  /** All requests before this position have been dealt with, and are dropped. */
  readonly handled: number;
}

export interface ReceivedRequests {
  /** Position of the first one; positions count from 0 over the whole run. */
  readonly from: number;
  /** See `decodeRequest`. At most 100. */
  readonly requests: readonly Uint8Array[];
}

export interface JoinRequest {
  readonly engine: EngineId;
  readonly context: ContextId;
  /** See `encodeEngineInfo`. */
  readonly info: Uint8Array;
}

export type JoinAnswer =
  | {
      readonly kind: "joined";
      /** 0.. over the whole run, in order of joining. */
      readonly rank: number;
      /** See `decodeRunInfo`. */
      readonly runInfo: Uint8Array;
      /** Every distinct needs that has been published so far. */
      readonly needs: readonly NeedsKey[];
    }
  /** The run has ended, or never was on this store. */
  | { readonly kind: "noRun" };

/** What an engine tells a store that has forgotten it, in one part or more. */
export interface AnnounceRequest {
  readonly engine: EngineId;
  readonly context: ContextId;
  /** As when it joined; and its rank, which it keeps. */
  readonly info: Uint8Array;
  readonly rank: number;
  /** Counts on from its last exchange, part by part, and the next exchange from here. */
  readonly seq: number;
  /** Number of its last report that it knows to be on disk: those after it are handed in again. */
  readonly acknowledged: number;
  /** Claims that it ever made, less those that it gave back. */
  readonly claimed: number;
  /** Of what it holds: claimed, and not reported, or reported in vain. The body is empty when it has ended. */
  readonly claims: readonly QueuedTask[];
  /** No further part follows: from now on it is a member again. */
  readonly last: boolean;
}

export type AnnounceAnswer =
  | {
      readonly kind: "announced";
      readonly acknowledged: number;
      /** `stop` also when it was expelled meanwhile. */
      readonly wanted: Wanted;
      readonly needs: readonly NeedsKey[];
    }
  /** The run is not there; its driver may open it again. */
  | { readonly kind: "noRun" };

/** How a driver opens a run that a store has forgotten. */
export interface Reopening {
  /** The last token of this run that is known; the new one is higher. */
  readonly above: FencingToken;
  /** Random. With it, a run that somebody else has opened meanwhile is left alone (`FencedError`); the same one again is the same opening. Null: takes over. */
  readonly nonce: string | null;
  /** Rank of the next engine that joins. */
  readonly ranks: number;
}

/** What a driver still knows of an engine that was a member before the store forgot. */
export interface RemainingEngine extends Pick<
  EngineSnapshot,
  "engine" | "context" | "rank" | "info" | "renewal" | "stats" | "wanted"
> {}

export interface RemainingContext extends Pick<ContextSnapshot, "context" | "nonce" | "info" | "wanted"> {
  /** Of its limit so many claims may be made from when the store forgot; more can be granted later. Null: no limit. */
  readonly granted: number | null;
}

export interface Greeting {
  /** What the engine held when it announced itself; null: it joined in this life of the store. */
  readonly announced: readonly ClaimedTask[] | null;
  /** See `AnnounceRequest`. */
  readonly claimed: number;
}

export interface NumberedReport {
  readonly number: number;
  /** The claim that this ends; null for PERENGINE commands. */
  readonly ends: TaskId | null;
  readonly body: Uint8Array;
}

export interface Want {
  readonly needs: NeedsKey;
  readonly max: number;
}

export interface ExchangeRequest {
  readonly engine: EngineId;
  readonly seq: number;
  readonly reports: readonly NumberedReport[];
  /** Claimed and never started: go back to the front of their queues. */
  readonly releases: readonly QueuedTask[];
  /** Most wanted first. Empty: claims nothing. */
  readonly wants: readonly Want[];
  /** No claim beyond this many bytes of bodies (but always one task). */
  readonly maxBytes: number;
  /**
   * Free slots before this claim. What the claim leaves of them is what to ring for when tasks are
   * published later; nothing left takes the engine off that list.
   */
  readonly idleSlots: number;
  /** Ring when reports are acknowledged (a draining engine has nothing else to wait for). */
  readonly awaitsAcknowledgement: boolean;
}

export interface ExchangeAnswer {
  readonly tasks: readonly QueuedTask[];
  /** All reports up to this number are on disk; the engine may forget them. */
  readonly acknowledged: number;
  readonly wanted: Wanted;
  /** Every distinct needs that has been published so far. */
  readonly needs: readonly NeedsKey[];
}

export interface RenewRequest {
  readonly engine: EngineId;
  readonly counter: number;
  /** See `encodeEngineStats`. */
  readonly stats: Uint8Array;
}

export interface RenewAnswer {
  readonly acknowledged: number;
  /** `stop` also when the engine was expelled. */
  readonly wanted: Wanted;
  /** Changes as long as a driver lives. */
  readonly driverBeat: number;
  /** The driver knows this engine. Of one that it does not know it cannot wait for word after the store has forgotten. */
  readonly greeted: boolean;
}

export interface Snapshot {
  /** False: the run has ended or never was. All else is then empty. */
  readonly open: boolean;
  readonly token: FencingToken;
  readonly driverBeat: number;
  /** See `encodeRunState`; empty before the first. */
  readonly state: Uint8Array;
  readonly queued: number;
  /** Received from engines, not yet acknowledged. */
  readonly reports: number;
  readonly wanted: Wanted;
  /** In order of rank. */
  readonly contexts: readonly ContextSnapshot[];
  readonly engines: readonly EngineSnapshot[];
}

export interface ContextSnapshot {
  readonly context: ContextId;
  readonly rank: number;
  readonly nonce: string;
  readonly info: Uint8Array;
  /** The stronger of the run's and its own. */
  readonly wanted: Wanted;
  /** Claims that it may still make; null: no limit. */
  readonly credit: number | null;
}

export interface EngineSnapshot {
  readonly engine: EngineId;
  readonly context: ContextId;
  readonly rank: number;
  readonly info: Uint8Array;
  /** Compare with an earlier look, by your own clock: unchanged for longer than the lease means lost. */
  readonly renewal: number;
  /** Empty before the first renewal. */
  readonly stats: Uint8Array;
  readonly claims: number;
  readonly wanted: Wanted;
  readonly state: "member" | "left" | "expelled";
  /** A member of old that has not announced itself to this life of the store. */
  readonly awaited: boolean;
  /** The driver has said that it knows of it, since it joined or announced itself. */
  readonly greeted: boolean;
  /** Why it is no member any more; else empty. */
  readonly why: string;
}
