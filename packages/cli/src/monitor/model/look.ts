import {
  type ContextId,
  type ContextInfo,
  type EngineId,
  type EngineInfo,
  type EngineSnapshot,
  type EngineStats,
  type RunState,
  type Snapshot,
  type Wanted,
  decodeRunState,
} from "@taskmuster/kvs/protocol";
import { contextInfoOf, engineInfoOf, engineStatsOf } from "../../self-descriptions.js";

/** A snapshot with everything in it decoded. */
export interface RunLook {
  readonly driverBeat: number;
  /** Null before the driver's first word. */
  readonly run: RunState | null;
  readonly wanted: Wanted;
  readonly contexts: readonly ContextLook[];
  readonly engines: readonly EngineLook[];
}

export interface ContextLook {
  readonly id: ContextId;
  readonly rank: number;
  readonly info: ContextInfo;
  readonly wanted: Wanted;
  readonly credit: number | null;
}

export interface EngineLook {
  readonly id: EngineId;
  readonly context: ContextId;
  readonly rank: number;
  readonly info: EngineInfo;
  /** Orders hosts as a person counts: node2 before node10. */
  readonly hostOrder: string;
  readonly renewal: number;
  /** Null before its first renewal. */
  readonly stats: EngineStats | null;
  readonly claims: number;
  readonly wanted: Wanted;
  readonly membership: EngineSnapshot["state"];
  readonly why: string;
}

/** Decodes snapshots; remembers what engines have said of themselves, as that never changes. */
export class SnapshotReader {
  #infos = new Map<EngineId, Described>();

  /** Null: the run has ended. Throws `MalformedMessageError` when the driver cannot be understood. */
  read(snapshot: Snapshot): RunLook | null {
    if (!snapshot.open) return null;
    const infos = new Map<EngineId, Described>();
    const engines = snapshot.engines.map((engine): EngineLook => {
      const known = this.#infos.get(engine.engine) ?? described(engineInfoOf(engine.info));
      infos.set(engine.engine, known);
      return {
        id: engine.engine,
        context: engine.context,
        rank: engine.rank,
        ...known,
        renewal: engine.renewal,
        stats: engineStatsOf(engine.stats),
        claims: engine.claims,
        wanted: engine.wanted,
        membership: engine.state,
        why: engine.why,
      };
    });
    this.#infos = infos;
    return {
      driverBeat: snapshot.driverBeat,
      run: snapshot.state.length === 0 ? null : decodeRunState(snapshot.state),
      wanted: snapshot.wanted,
      contexts: snapshot.contexts.map((context) => ({
        id: context.context,
        rank: context.rank,
        info: contextInfoOf(context.info),
        wanted: context.wanted,
        credit: context.credit,
      })),
      engines,
    };
  }
}

type Described = Pick<EngineLook, "info" | "hostOrder">;

function described(info: EngineInfo): Described {
  return { info, hostOrder: info.host.replaceAll(/\d+/g, (digits) => digits.padStart(12, "0")) };
}
