import type { NeedsKey } from "../protocol/index.js";
import type { EngineVerbs, ExchangeRequest } from "../store.js";
import type { Call } from "./call.js";
import { packEnds, packTasks, parseTaskElement, reportsElement } from "./element.js";
import { unpackElements } from "./packed.js";
import type { Argument } from "./request.js";
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
      const [rank, runInfo, needs] = asArray(await call(scripts.join, [engine, context, info]));
      if (rank === undefined) return { kind: "noRun" };
      return { kind: "joined", rank: asNumber(rank), runInfo: asBuffer(runInfo), needs: needsOf(needs) };
    },
    async announce(request) {
      const { engine, context, info, rank, seq, acknowledged, claimed, claims, last } = request;
      const elements = claims.length === 0 ? "" : packTasks(claims);
      const args = [engine, context, info, rank, seq, acknowledged, claimed, last ? 1 : 0, elements];
      const [known, wanted, needs] = asArray(await call(scripts.announce, args));
      if (known === undefined) return { kind: "noRun" };
      return {
        kind: "announced",
        acknowledged: asNumber(known),
        wanted: wantedOf(asNumber(wanted)),
        needs: needsOf(needs),
      };
    },
    async exchange(request) {
      const [acknowledged, wanted, needs, tasks] = asArray(
        await call(scripts.exchange, exchangeArgs(request)),
      );
      return {
        tasks: unpackElements(asBuffer(tasks)).map(parseTaskElement),
        acknowledged: asNumber(acknowledged),
        wanted: wantedOf(asNumber(wanted)),
        needs: needsOf(needs),
      };
    },
    async renew({ engine, counter, stats }) {
      const answer = asArray(await call(scripts.renew, [engine, counter, stats]));
      const [acknowledged, wanted, driverBeat, greeted] = answer.map(asNumber);
      return {
        acknowledged: asNumber(acknowledged),
        wanted: wantedOf(asNumber(wanted)),
        driverBeat: asNumber(driverBeat),
        greeted: greeted === 1,
      };
    },
    async leave(engine, why) {
      return asNumber(await call(scripts.leave, [engine, why])) === 1;
    },
  };
}

function exchangeArgs(request: ExchangeRequest): Argument[] {
  const { engine, seq, reports, releases, wants, maxBytes, idleSlots, awaitsAcknowledgement } = request;
  const args: Argument[] = [
    engine,
    seq,
    maxBytes,
    idleSlots,
    awaitsAcknowledgement ? 1 : 0,
    reports[0]?.number ?? 0,
    reports.length,
    reports.length === 0 ? "" : reportsElement(engine, reports),
    reports.length === 0 ? "" : packEnds(reports),
    releases.length === 0 ? "" : packTasks(releases),
  ];
  for (const { needs, max } of wants) args.push(needs, max);
  return args;
}
