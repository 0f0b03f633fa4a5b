import type { NeedsKey } from "../protocol/index.js";
import type { EngineVerbs, ExchangeRequest, QueuedTask } from "../store.js";
import type { Call } from "./call.js";
import { parseTaskElement, reportElement, taskElement } from "./element.js";
import { asArray, asBuffer, asNeedsKey, asNumber, asText } from "./reply.js";
import { scripts } from "./scripts.js";
import { wantedOf } from "../wanted.js";

export function engineVerbs(call: Call): EngineVerbs {
  // The text is nearly always the one that came with the last answer.
  let needsText = "";
  let needsKeys: readonly NeedsKey[] = [];
  const needsOf = (reply: unknown): readonly NeedsKey[] => {
    const text = asText(reply);
    if (text !== needsText) {
      needsText = text;
      needsKeys = text
        .split(" ")
        .filter((each) => each !== "")
        .map(asNeedsKey);
    }
    return needsKeys;
  };

  return {
    async join({ engine, context, info }) {
      const [rank, runInfo, needs] = asArray(await call(scripts.join, [engine, context, Buffer.from(info)]));
      if (rank === undefined) return { kind: "noRun" };
      return { kind: "joined", rank: asNumber(rank), runInfo: asBuffer(runInfo), needs: needsOf(needs) };
    },
    async exchange(request) {
      const [acknowledged, wanted, needs, ...claimed] = asArray(
        await call(scripts.exchange, exchangeArgs(request)),
      );
      return {
        tasks: claimedTasks(claimed),
        acknowledged: asNumber(acknowledged),
        wanted: wantedOf(asNumber(wanted)),
        needs: needsOf(needs),
      };
    },
    async renew({ engine, counter, stats }) {
      const answer = asArray(await call(scripts.renew, [engine, counter, Buffer.from(stats)]));
      const [acknowledged, wanted, driverBeat] = answer.map(asNumber);
      return {
        acknowledged: asNumber(acknowledged),
        wanted: wantedOf(asNumber(wanted)),
        driverBeat: asNumber(driverBeat),
      };
    },
    async leave(engine, why) {
      return asNumber(await call(scripts.leave, [engine, why])) === 1;
    },
  };
}

function exchangeArgs(request: ExchangeRequest): (string | Buffer | number)[] {
  const { engine, seq, reports, releases, wants, maxBytes, idleSlots, awaitsAcknowledgement } = request;
  const awaits = awaitsAcknowledgement ? 1 : 0;
  const args: (string | Buffer | number)[] = [
    engine,
    seq,
    maxBytes,
    idleSlots,
    awaits,
    reports.length,
    releases.length,
  ];
  for (const { number, ends, body } of reports) {
    args.push(number, ends ?? "", reportElement(engine, number, body));
  }
  for (const task of releases) args.push(task.needs, task.id, taskElement(task));
  for (const { needs, max } of wants) args.push(needs, max);
  return args;
}

/** Pairs of needs and elements. */
function claimedTasks(claimed: readonly unknown[]): QueuedTask[] {
  const tasks: QueuedTask[] = [];
  for (let at = 0; at < claimed.length; at += 2) {
    const needs = asNeedsKey(asText(claimed[at]));
    for (const element of asArray(claimed[at + 1])) tasks.push(parseTaskElement(needs, asBuffer(element)));
  }
  return tasks;
}
