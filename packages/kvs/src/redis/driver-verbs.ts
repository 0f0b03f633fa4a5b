import { KvsError } from "../errors.js";
import type { NeedsKey } from "../protocol/index.js";
import type { DriverVerbs, QueuedTask, Scope } from "../store.js";
import type { Call } from "./call.js";
import { claimText, parseClaims, parseReportElement, taskElement } from "./element.js";
import { asArray, asBuffer, asNumber, asText } from "./reply.js";
import { scripts } from "./scripts.js";
import { wantedNumber } from "../wanted.js";

export function driverVerbs(call: Call): DriverVerbs {
  // A publish that overtakes an earlier one would make that one look like a repetition.
  let lastPublish: Promise<unknown> = Promise.resolve();

  return {
    async open(info) {
      return asNumber(await call(scripts.open, [Buffer.from(info)]));
    },
    async publish(token, number, tasks, where = "back") {
      const args = [token, number, where, ...grouped(tasks)];
      const done = lastPublish.then(() => call(scripts.publish, args));
      lastPublish = done.catch(() => undefined);
      await done;
    },
    async withdraw(token, task) {
      const args = [token, task.needs, claimText(task), taskElement(task)];
      return asNumber(await call(scripts.withdraw, args)) === 1;
    },
    async receive(token, max) {
      if (max < 1) throw new RangeError(`cannot receive ${max} reports`);
      const [from, reports] = asArray(await call(scripts.receive, [token, max]));
      return {
        from: asNumber(from),
        reports: asArray(reports).map((element) => parseReportElement(asBuffer(element))),
      };
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
    async beat(token, { state, handled }) {
      const [from, requests] = asArray(await call(scripts.beat, [token, Buffer.from(state), handled]));
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

/** For each run of tasks with equal needs: needs, count, elements. */
function grouped(tasks: readonly QueuedTask[]): (string | Buffer | number)[] {
  const args: (string | Buffer | number)[] = [];
  let needs: NeedsKey | undefined;
  let countAt = 0;
  let count = 0;
  for (const task of tasks) {
    if (task.needs !== needs) {
      needs = task.needs;
      if (!/^\S+$/.test(needs))
        throw new KvsError(`a needs key cannot be empty or hold blanks: ${JSON.stringify(needs)}`);
      countAt = args.push(needs, 0) - 1;
      count = 0;
    }
    args[countAt] = ++count;
    args.push(taskElement(task));
  }
  return args;
}
