import type { Audit, Repeat } from "@taskmuster/driver/audit";
import { auditExitOf } from "./audit-exit.js";
import { recoverCommand, resumeCommand } from "./audit-next.js";

/** What `dbutil audit --json` prints, piece by piece: lists may be as long as the list of tasks. Its shape stands in docs/cli.md. */
export function* auditJson(audit: Audit, taskFile: string): Generator<string> {
  yield JSON.stringify(head(audit, taskFile)).slice(0, -1);
  yield* list("missing", audit.missing());
  yield* list("succeeded", audit.succeeded(false));
  yield* list("succeededBefore", audit.succeeded(true));
  yield* list("barriers", audit.barriers());
  yield* list("failed", failures(audit, false));
  yield* list("failedBefore", failures(audit, true));
  yield* list("begun", begun(audit));
  yield* list("repeated", repeated(audit));
  yield* list("retried", audit.retried());
  yield* list("runAgain", audit.runAgain());
  yield* list("badLines", badLines(audit));
  yield* list("secondRows", secondRows(audit));
  yield* list("oddRows", oddRows(audit));
  yield* list("skippedUnknown", audit.skippedUnknown());
  yield* list("otherTasks", audit.parts.list?.others ?? []);
  yield "}\n";
}

function head(audit: Audit, taskFile: string): object {
  const { file, rows, ledger, section, state, earlier, list: compared } = audit.parts;
  const { run = null, end = null } = section ?? {};
  const { counts, torn } = rows;
  return {
    statusFile: file.path,
    exitStatus: auditExitOf(audit),
    verdict: audit.verdict,
    run: {
      state,
      reason: end?.reason ?? null,
      runId: run?.runId ?? null,
      startedAt: run?.at ?? null,
      endedAt: end?.at ?? null,
      host: run?.host ?? null,
      pid: run?.pid ?? null,
      cwd: run?.cwd ?? null,
      taskFile: run?.taskFile ?? null,
      drivers: section?.epochs ?? null,
    },
    ledger: { ...ledger, namesAllBegun: audit.namesAllBegun },
    earlier,
    list:
      compared === null ? null : { path: compared.path, tasks: compared.tasks, barriers: compared.barriers },
    total: audit.total,
    counts: {
      ...counts,
      bytes: file.bytes,
      missing: audit.missingCount,
      repeated: audit.repeatedCount,
      overlapping: audit.overlapCount,
      retried: audit.retriedCount,
      runAgain: audit.askedCount,
      lateRows: rows.late.length,
    },
    hidesBegun: audit.hidesBegun,
    tornLine: torn?.at ?? null,
    damage: audit.damage,
    resume: resumeCommand(audit, taskFile),
    recover: recoverCommand(audit),
  };
}

function* failures(audit: Audit, skipped: boolean): Generator<object> {
  for (const [first, last] of audit.failed(skipped)) {
    for (let id = first; id <= last; id++) {
      const final = audit.final(id);
      if (final !== null)
        yield { id, line: final.line, returnCode: final.returnCode, timedOut: final.timedOut, row: final.at };
    }
  }
}

function* begun(audit: Audit): Generator<object> {
  for (const { id, attempts } of audit.begunWithoutRow()) yield { id, attempts: attempts.map(attemptJson) };
}

function* repeated(audit: Audit): Generator<object> {
  for (const repeat of audit.repeated()) {
    const { id, certain, overlapSeconds, past, final } = repeat;
    yield {
      id,
      line: final?.line ?? audit.final(id)?.line ?? null,
      certain,
      overlapSeconds: Math.round(overlapSeconds * 1000) / 1000,
      final: final === null ? null : rowJson(final),
      late: repeat.late.map(rowJson),
      attempts: repeat.begun.map(attemptJson),
      earlier: past,
    };
  }
}

function rowJson(row: {
  readonly at: number;
  readonly returnCode: number;
  readonly start: number;
  readonly finish: number;
}): object {
  return { row: row.at, returnCode: row.returnCode, start: row.start, finish: row.finish };
}

function attemptJson({ attempt, loss }: Repeat["begun"][number]): object {
  return { attempt, lost: loss.kind, at: loss.at, engine: loss.rank, host: loss.host, why: loss.why };
}

function* badLines(audit: Audit): Generator<object> {
  for (const { at, fault } of audit.parts.rows.bad()) yield { row: at, ...fault };
}

function* secondRows(audit: Audit): Generator<object> {
  for (const { id, at, first } of audit.secondRows()) yield { id, row: at, first };
}

function* oddRows(audit: Audit): Generator<object> {
  for (const { id, at, what } of audit.oddRows()) yield { id, row: at, what };
}

function* list(name: string, items: Iterable<unknown>): Generator<string> {
  yield `,${JSON.stringify(name)}:[`;
  let isFirst = true;
  for (const item of items) {
    yield `${isFirst ? "" : ","}${JSON.stringify(item)}`;
    isFirst = false;
  }
  yield "]";
}
