import { KvsError } from "../errors.js";
import { ByteWriter } from "../protocol/index.js";
import type { DriverVerbs, QueuedTask, Scope } from "../store.js";
import type { Call } from "./call.js";
import { claimText, packTasks, parseClaims, parseReportsElement, taskElement } from "./element.js";
import type { Argument } from "./request.js";
import { asArray, asBuffer, asNumber, asText } from "./reply.js";
import { scripts } from "./scripts.js";
import { wantedNumber } from "../wanted.js";

export function driverVerbs(call: Call): DriverVerbs {
  // A publish that overtakes an earlier one would make that one look like a repetition.
  let lastPublish: Promise<unknown> = Promise.resolve();
  const packed = new ByteWriter(0);

  return {
    async open(info, { above, nonce, ranks } = { above: 0, nonce: null, ranks: 0 }) {
      return asNumber(await call(scripts.open, [info, above, nonce ?? "", ranks]));
    },
    async restore(token, contexts, engines) {
      const args: Argument[] = [token, contexts.length];
      for (const { context, nonce, info, granted, wanted } of contexts)
        args.push(context, nonce, info, granted ?? "", wantedNumber(wanted));
      for (const { engine, context, rank, info, renewal, stats, wanted } of engines)
        args.push(engine, context, rank, info, renewal, stats, wantedNumber(wanted));
      await call(scripts.restore, args);
    },
    async greet(token, engine) {
      const [announced, claimed] = asArray(await call(scripts.greet, [token, engine]));
      if (announced === undefined) return null;
      return {
        announced: announced === null ? null : parseClaims(asText(announced)),
        claimed: asNumber(claimed),
      };
    },
    async takeOver() {
      const [token, claims, expelled] = asArray(await call(scripts.takeOver, []));
      if (token === undefined) return null;
      return {
        token: asNumber(token),
        claims: parseClaims(asText(claims)),
        expelled: parseClaims(asText(expelled)),
      };
    },
    async publish(token, number, tasks, where = "back") {
      // What goes to the front is pushed last one first.
      const inOrder = where === "front" ? tasks.toReversed() : tasks;
      const done = lastPublish.then(() => {
        packed.clear();
        return call(scripts.publish, [token, number, where, ...grouped(inOrder, packed)]);
      });
      lastPublish = done.catch(() => undefined);
      await done;
    },
    async withdraw(token, task) {
      const args = [token, task.needs, claimText(task), taskElement(task)];
      return asNumber(await call(scripts.withdraw, args)) === 1;
    },
    async receive(token, max, from) {
      if (max < 1) throw new RangeError(`cannot receive ${max} reports`);
      const [position, firstAt, ...elements] = asArray(await call(scripts.receive, [token, max, from ?? ""]));
      const reports = elements.flatMap((element) => parseReportsElement(asBuffer(element)));
      // Of the first and the last element there may be more than was asked for.
      const extra = asNumber(position) - asNumber(firstAt);
      return { from: asNumber(position), reports: reports.slice(extra, extra + max) };
    },
    async acknowledge(token, upTo) {
      await call(scripts.acknowledge, [token, upTo]);
    },
    async order(token, scope, wanted) {
      await call(scripts.order, [token, scope.kind, scopeName(scope), wantedNumber(wanted)]);
    },
    async expel(token, engine, why) {
      return parseClaims(asText(await call(scripts.expel, [token, engine, why])));
    },
    async expire(token, engine, why, renewal) {
      const answer = asText(await call(scripts.expel, [token, engine, why, renewal]));
      return answer === "renewed" ? null : parseClaims(answer);
    },
    async beat(token, { state, handled }) {
      const [from, requests] = asArray(await call(scripts.beat, [token, state, handled]));
      return { from: asNumber(from), requests: asArray(requests).map(asBuffer) };
    },
    async post(token, key, value) {
      await call(scripts.post, [token, key, value]);
    },
    async close(token) {
      await call(scripts.close, [token]);
    },
  };
}

function scopeName(scope: Scope): string {
  switch (scope.kind) {
    case "run":
      return "";
    case "context":
      return scope.context;
    case "engine":
      return scope.engine;
  }
}

/** For each run of tasks with equal needs: needs, elements. */
function grouped(tasks: readonly QueuedTask[], packed: ByteWriter): Argument[] {
  const args: Argument[] = [];
  for (let from = 0; from < tasks.length;) {
    const needs = tasks[from]?.needs ?? "";
    if (!/^\S+$/.test(needs))
      throw new KvsError(`a needs key cannot be empty or hold blanks: ${JSON.stringify(needs)}`);
    let to = from + 1;
    while (tasks[to]?.needs === needs) to++;
    args.push(needs, packTasks(to - from === tasks.length ? tasks : tasks.slice(from, to), packed));
    from = to;
  }
  return args;
}
