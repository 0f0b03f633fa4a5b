import { KvsError } from "../errors.js";
import type { EngineId } from "../protocol/index.js";
import type {
  Beat,
  ClaimedTask,
  QueuedTask,
  ReceivedReports,
  ReceivedRequests,
  Scope,
  Takeover,
  Wanted,
} from "../store.js";
import { prune } from "./prune.js";
import { ringIdle } from "./ring.js";
import { type Run, claimsOfMember, contextState, isMember, queueOf, queuedTasks } from "./run.js";

// What a driver can do to a run whose token it holds. Each twin of a script in ../redis/scripts.

export function takeOver(run: Run): Takeover {
  const claims: ClaimedTask[] = [];
  const expelled: ClaimedTask[] = [];
  for (const [engine, member] of run.engines) {
    // Who has asked while the run was on hold is not among the idle.
    if (run.wanted === "hold" && member.state === "member") run.chimes.add(engine);
    for (const { id, attempt } of member.claims.values()) claims.push({ id, attempt });
    expelled.push(...member.expelled);
  }
  run.token++;
  run.published = 0;
  run.withdrawn = [];
  run.wanted = "run";
  run.queues.clear();
  const byId = (a: ClaimedTask, b: ClaimedTask): number => a.id - b.id;
  return { token: run.token, claims: claims.toSorted(byId), expelled: expelled.toSorted(byId) };
}

export function publish(
  run: Run,
  number: number,
  tasks: readonly QueuedTask[],
  where: "back" | "front",
): void {
  const invalid = tasks.find(({ needs }) => !/^\S+$/.test(needs));
  if (invalid !== undefined) {
    throw new KvsError(`a needs key cannot be empty or hold blanks: ${JSON.stringify(invalid.needs)}`);
  }
  if (number <= run.published) return;
  run.published = number;
  for (const task of where === "front" ? tasks.toReversed() : tasks) {
    if (!run.needs.includes(task.needs)) run.needs.push(task.needs);
    const queue = queueOf(run, task.needs);
    if (where === "front") queue.unshift(task);
    else queue.push(task);
  }
  ringIdle(run, tasks.length);
}

export function withdraw(run: Run, task: QueuedTask): boolean {
  const mark = `${task.id}:${task.attempt}`;
  const queue = queueOf(run, task.needs);
  const at = queue.findIndex(
    ({ id, attempt, body }) =>
      id === task.id && attempt === task.attempt && Buffer.compare(body, task.body) === 0,
  );
  if (at < 0) return run.withdrawn.includes(mark);
  queue.splice(at, 1);
  run.withdrawn = [...run.withdrawn, mark].slice(-100);
  return true;
}

export function receive(run: Run, max: number, position: number): ReceivedReports {
  if (max < 1) throw new RangeError(`cannot receive ${max} reports`);
  const from = Math.max(position, run.acknowledged);
  const at = from - run.acknowledged;
  return { from, reports: run.reports.slice(at, at + max) };
}

export function acknowledge(run: Run, upTo: number): void {
  const count = Math.min(upTo - run.acknowledged, run.reports.length);
  if (count <= 0) return;
  const highest = new Map<EngineId, number>();
  for (const { engine, number } of run.reports.splice(0, count)) highest.set(engine, number);
  run.acknowledged += count;
  for (const [engine, number] of highest) {
    const member = run.engines.get(engine);
    if (member === undefined) continue;
    member.acknowledged = number;
    if (member.awaitsAcknowledgement) run.chimes.add(engine);
  }
}

export function order(run: Run, scope: Scope, wanted: Wanted): void {
  if (scope.kind === "run") run.wanted = wanted;
  if (scope.kind === "context") contextState(run, scope.context).wanted = wanted;
  for (const [engine, member] of run.engines) {
    if (scope.kind === "engine" && scope.engine !== engine) continue;
    if (scope.kind === "context" && scope.context !== member.context) continue;
    if (scope.kind === "context") member.contextWanted = wanted;
    if (scope.kind === "engine") member.wanted = wanted;
    if (member.state === "member") run.chimes.add(engine);
  }
}

export function expel(run: Run, engine: EngineId, why: string): readonly ClaimedTask[] {
  const member = run.engines.get(engine);
  if (member === undefined) return [];
  if (isMember(member)) {
    member.expelled = claimsOfMember(member);
    member.claims.clear();
    member.state = "expelled";
    member.why = why;
    member.idle = 0;
    run.idle.delete(engine);
    run.starved.delete(engine);
    run.chimes.add(engine);
    // It may have been rung for a task that it never took.
    ringIdle(run, queuedTasks(run));
    prune(run, engine);
  }
  return member.expelled;
}

export function expire(
  run: Run,
  engine: EngineId,
  why: string,
  renewal: number,
): readonly ClaimedTask[] | null {
  const member = run.engines.get(engine);
  if (member !== undefined && isMember(member) && member.renewal !== renewal) return null;
  return expel(run, engine, why);
}

export function beat(run: Run, { state, handled }: Beat): ReceivedRequests {
  run.beat++;
  if (state.length > 0) run.state = state;
  const dropped = run.requests.splice(0, Math.max(handled - run.handled, 0));
  run.handled += dropped.length;
  return { from: run.handled, requests: run.requests.slice(0, 100) };
}

export function post(run: Run, key: string, value: string): void {
  const values = run.posted.get(key) ?? [];
  if (values.at(-1) !== value) run.posted.set(key, [...values, value]);
}
