import { contextId } from "../protocol/index.js";
import type { ContextVerbs } from "../store.js";
import type { Call } from "./call.js";
import { asArray, asBuffer, asNumber, asText } from "./reply.js";
import { scripts } from "./scripts.js";

export function contextVerbs(call: Call): ContextVerbs {
  return {
    async enrol({ label, exactLabel, nonce, info, limit }) {
      const args = [label, exactLabel ? 1 : 0, nonce, info, limit ?? ""];
      const [enrolled, name, rank, runInfo] = asArray(await call(scripts.enrol, args));
      if (enrolled === undefined) return { kind: "noRun" };
      if (asNumber(enrolled) === 0) return { kind: "taken" };
      return {
        kind: "enrolled",
        context: contextId(asText(name)),
        rank: asNumber(rank),
        runInfo: asBuffer(runInfo),
      };
    },
    async ask(request) {
      return asNumber(await call(scripts.ask, [request])) === 1;
    },
  };
}
