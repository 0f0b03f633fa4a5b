import { type EngineStats, type Snapshot, decodeRunState } from "@taskmuster/kvs/protocol";
import { contextInfoOf, engineInfoOf, engineStatsOf } from "../self-descriptions.js";
import { limitWords, plural } from "../wording.js";

/** What `dbutil status --json` prints. */
export function statusJson(prefix: string, snapshot: Snapshot): object {
  const state = snapshot.state.length === 0 ? null : decodeRunState(snapshot.state);
  return {
    run: prefix,
    open: snapshot.open,
    wanted: snapshot.wanted,
    queued: snapshot.queued,
    ...(state === null
      ? {}
      : {
          name: state.name,
          host: state.host,
          pid: state.pid,
          startedAt: new Date(state.startedAt).toISOString(),
          phase: state.phase,
          reason: state.reason,
          held: state.held,
          serves: state.serves,
          total: state.total,
          done: state.done,
          failed: state.failed,
          skipped: state.skipped,
          outstanding: state.outstanding,
          retried: state.retried,
          lost: state.lost,
          atBarrier: state.atBarrier,
          taskSeconds: state.taskSeconds,
          failures: state.failures.map((failure) => ({
            ...failure,
            command: text(failure.command),
            lastWords: text(failure.lastWords),
          })),
        }),
    contexts: snapshot.contexts.map((context) => ({
      context: context.context,
      rank: context.rank,
      wanted: context.wanted,
      credit: context.credit,
      ...contextInfoOf(context.info),
    })),
    engines: snapshot.engines.map((engine) => ({
      rank: engine.rank,
      context: engine.context,
      ...engineInfoOf(engine.info),
      membership: engine.state,
      why: engine.why,
      wanted: engine.wanted,
      claims: engine.claims,
      stats: engineStatsOf(engine.stats),
    })),
  };
}

/** What `dbutil status` prints. `afterDeath`: how to go on, when the driver is known to be dead. */
export function statusText(prefix: string, snapshot: Snapshot, afterDeath: string | null = null): string {
  const lines = [`run      ${prefix}`];
  if (!snapshot.open) return `${[...lines, "has ended"].join("\n")}\n`;
  const members = snapshot.engines.filter(({ state }) => state === "member");
  if (snapshot.state.length > 0) lines.push(...runLines(snapshot, afterDeath));
  lines.push(
    `engines  ${members.length}, with ${plural(
      members.reduce((sum, { info }) => sum + engineInfoOf(info).slots, 0),
      "slot",
    )}`,
  );
  for (const context of snapshot.contexts) {
    const { kind, host, nodes, ended } = contextInfoOf(context.info);
    const left = context.credit === null ? "" : `, ${context.credit} more tasks at most`;
    const state =
      ended !== ""
        ? `, ended: ${ended}`
        : context.wanted === "run" || context.wanted === "hold"
          ? ""
          : `, ${context.wanted}`;
    lines.push(
      `context  ${context.context} (${kind}, from ${host}): ${plural(nodes.length, "node")}${left}${state}`,
    );
    for (const node of nodes) {
      if (node.state === "failed") lines.push(`         ${node.host} failed: ${node.why}`);
    }
  }
  const drained = snapshot.state.length === 0 ? [] : decodeRunState(snapshot.state).drained;
  const whyOf = (engine: string, stats: EngineStats, slots: number): string =>
    drained.find((each) => each.engine === engine)?.why ?? (stats.why || limitWords(stats, slots));
  for (const engine of snapshot.engines) {
    const { host, slots } = engineInfoOf(engine.info);
    const stats = engineStatsOf(engine.stats);
    const counts = stats === null ? "" : `, ${stats.busy} busy, ${stats.done} done, ${stats.failed} failed`;
    const state =
      engine.state === "member"
        ? [stats?.state ?? "starting", stats === null ? "" : whyOf(engine.engine, stats, slots)]
            .filter((part) => part !== "")
            .join(": ")
        : [engine.state === "left" ? "gone" : "lost", engine.why].filter((part) => part !== "").join(": ");
    lines.push(
      `engine   ${engine.rank} ${engine.context} ${host}: ${plural(slots, "slot")}${counts}, ${state}`,
    );
  }
  return `${lines.join("\n")}\n`;
}

function runLines(snapshot: Snapshot, afterDeath: string | null): readonly string[] {
  const state = decodeRunState(snapshot.state);
  const done = state.done + state.skipped;
  const parts = [`${done}${state.total === null ? "" : ` of ${state.total}`} done`];
  if (state.failed > 0) parts.push(`${state.failed} failed`);
  if (state.lost > 0) parts.push(`${state.lost} lost with an engine`);
  parts.push(`${snapshot.queued} queued`);
  if (state.atBarrier !== null) parts.push(`waiting at barrier ${state.atBarrier}`);
  const dead = afterDeath === null ? "" : `: it is dead. To go on: ${afterDeath}`;
  const lines = [`driver   ${state.host}, process ${state.pid}${dead}`, `tasks    ${parts.join(", ")}`];
  if (state.held !== "") lines.push(`waiting  ${state.held}`);
  if (state.reason !== "") lines.push(`ending   ${state.reason}`);
  else if (state.serves && state.phase === "running") lines.push("state    serving: resources may be added");
  return lines;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
