import { engineIsUnknown, exchangeIsLate, serverWasReplaced } from "../lost.js";
import type { EngineId } from "../protocol/index.js";
import type {
  ExchangeAnswer,
  ExchangeRequest,
  JoinAnswer,
  JoinRequest,
  QueuedTask,
  RenewAnswer,
  RenewRequest,
} from "../store.js";
import { prune } from "./prune.js";
import { feedStarved, ringIdle } from "./ring.js";
import {
  type Member,
  type Run,
  contextState,
  creditOf,
  newMember,
  queueOf,
  queuedTasks,
  wantedOfMember,
} from "./run.js";

// What an engine can do to a run. Each twin of a script in ../redis/scripts.

export function join(run: Run, { engine, context, info }: JoinRequest): JoinAnswer {
  let member = run.engines.get(engine);
  // A run that stops takes nobody in any more.
  if (member === undefined && run.wanted === "stop") return { kind: "noRun" };
  if (member === undefined) {
    member = newMember({
      context,
      rank: run.ranks++,
      info,
      state: "member",
      contextWanted: contextState(run, context).wanted,
    });
    run.engines.set(engine, member);
    run.chimes.add("driver");
  }
  return { kind: "joined", rank: member.rank, runInfo: run.info, needs: [...run.needs] };
}

function memberOf(run: Run, engine: EngineId): Member {
  const member = run.engines.get(engine);
  if (member === undefined) throw engineIsUnknown();
  if (member.state === "awaited") throw serverWasReplaced();
  return member;
}

export function exchange(run: Run, request: ExchangeRequest): ExchangeAnswer {
  const { engine, seq } = request;
  const member = memberOf(run, engine);
  const answer = (tasks: readonly QueuedTask[]): ExchangeAnswer => ({
    tasks,
    acknowledged: member.acknowledged,
    wanted: wantedOfMember(run, member),
    needs: [...run.needs],
  });
  if (seq < member.seq) throw exchangeIsLate(member.seq);
  if (seq === member.seq) return answer(member.last.flatMap((id) => member.claims.get(id) ?? []));

  takeReports(run, member, request);
  const released = takeReleases(run, member, request);
  if (released > 0) {
    const context = contextState(run, member.context);
    if (context.credit !== undefined) {
      context.credit += released;
      feedStarved(run);
    }
    run.idle.delete(engine);
  }

  const able = wantedOfMember(run, member) === "run" && creditOf(run, member.context) > 0;
  const { tasks, cut } = able ? claim(run, member, request) : { tasks: [], cut: false };
  listIdle(run, member, request, { released, taken: tasks.length, able, cut });
  member.seq = seq;
  member.last = tasks.map(({ id }) => id);
  member.awaitsAcknowledgement = request.awaitsAcknowledgement;
  return answer(tasks);
}

function takeReports(run: Run, member: Member, { engine, reports }: ExchangeRequest): void {
  for (const { number, ends, body } of reports) {
    if (number <= member.reported) continue;
    member.reported = number;
    run.reports.push({ engine, number, body });
    if (ends !== null) member.claims.delete(ends);
    run.chimes.add("driver");
  }
}

function takeReleases(run: Run, member: Member, { releases }: ExchangeRequest): number {
  let released = 0;
  for (const task of releases.toReversed()) {
    if (!member.claims.delete(task.id)) continue;
    queueOf(run, task.needs).unshift(task);
    released++;
  }
  return released;
}

function claim(
  run: Run,
  member: Member,
  { wants, maxBytes, idleSlots }: ExchangeRequest,
): { readonly tasks: readonly QueuedTask[]; readonly cut: boolean } {
  const credit = creditOf(run, member.context);
  const tasks: QueuedTask[] = [];
  let room = maxBytes;
  let cut = false;
  for (const { needs, max } of wants) {
    const queue = queueOf(run, needs);
    for (
      let left = fairly(run, max, idleSlots - tasks.length, queue.length);
      left > 0 && tasks.length < credit && !cut;
      left--
    ) {
      const [next] = queue;
      if (next === undefined) break;
      cut = next.body.length > room && tasks.length > 0;
      if (cut) break;
      room -= next.body.length;
      tasks.push(next);
      queue.shift();
      member.claims.set(next.id, next);
    }
  }
  const state = contextState(run, member.context);
  if (state.credit !== undefined) state.credit -= tasks.length;
  return { tasks, cut };
}

/** Beyond its free slots an engine gets no more than its share of the queue: others have slots for the rest. */
function fairly(run: Run, max: number, freeSlots: number, queued: number): number {
  const members = [...run.engines.values()].filter(({ state }) => state === "member").length;
  const free = Math.max(freeSlots, 0);
  return members <= 1 || max <= free ? max : Math.min(max, Math.max(free, Math.floor(queued / members)));
}

/** What is left of the free slots goes on the list of those to ring. */
function listIdle(
  run: Run,
  member: Member,
  { engine, idleSlots }: ExchangeRequest,
  done: { readonly released: number; readonly taken: number; readonly able: boolean; readonly cut: boolean },
): void {
  const idle = wantedOfMember(run, member) === "run" ? Math.max(idleSlots - done.taken, 0) : 0;
  const listed = run.idle.has(engine) || run.starved.has(engine);
  const rung = member.idle > 0 && done.released === 0 && !listed;
  run.idle.delete(engine);
  run.starved.delete(engine);
  if (idle > 0) (creditOf(run, member.context) <= 0 ? run.starved : run.idle).set(engine, idle);
  // Free slots, and more to claim: nobody else will ring for that.
  if (done.cut && idle > 0) run.chimes.add(engine);
  if (done.released > 0) ringIdle(run, done.released);
  // It was rung for tasks that it does not take: another shall.
  else if (rung && done.taken === 0 && (!done.able || idle === 0)) ringIdle(run, queuedTasks(run));
  member.idle = idle;
}

export function renew(run: Run, { engine, counter, stats }: RenewRequest): RenewAnswer {
  const member = memberOf(run, engine);
  if (counter > member.renewal) {
    member.renewal = counter;
    member.stats = stats;
  }
  return {
    acknowledged: member.acknowledged,
    wanted: wantedOfMember(run, member),
    driverBeat: run.beat,
    greeted: member.greeted,
  };
}

export function leave(run: Run, engine: EngineId, why: string): boolean {
  const member = memberOf(run, engine);
  if (member.state !== "member") return true;
  if (member.claims.size > 0) return false;
  member.state = "left";
  member.why = why;
  member.idle = 0;
  run.idle.delete(engine);
  run.starved.delete(engine);
  // It may have been rung for a task that it never took.
  ringIdle(run, queuedTasks(run));
  run.chimes.add("driver");
  prune(run, engine);
  return true;
}
