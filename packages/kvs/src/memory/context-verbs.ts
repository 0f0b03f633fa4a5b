import { mostRequestBytes, requestIsLarge, requestsAreMany } from "../lost.js";
import { contextId } from "../protocol/index.js";
import type { EnrolAnswer, EnrolRequest } from "../store.js";
import { type Run, contextState } from "./run.js";

// What whoever starts engines, or looks at a run, can do to it. Each twin of a script in ../redis/scripts.

export function enrol(run: Run, { label, exactLabel, nonce, info, limit }: EnrolRequest): EnrolAnswer {
  const { enrolments } = run;
  const known = [...enrolments].findIndex(([, enrolment]) => enrolment.nonce === nonce);
  const again = [...enrolments][known];
  if (again !== undefined) {
    const [context, enrolment] = again;
    enrolment.info = info;
    return { kind: "enrolled", context, rank: known, runInfo: run.info };
  }

  if (run.wanted === "stop") return { kind: "noRun" };
  const rank = enrolments.size;
  const wanted = label.replaceAll("#", `${rank}`);
  let context = contextId(wanted);
  for (let copy = 2; enrolments.has(context); copy++) {
    if (exactLabel) return { kind: "taken" };
    context = contextId(`${wanted}.${copy}`);
  }
  enrolments.set(context, { nonce, info });
  if (limit !== null) Object.assign(contextState(run, context), { credit: limit, granted: limit });
  return { kind: "enrolled", context, rank, runInfo: run.info };
}

export function ask(run: Run, request: Uint8Array): boolean {
  if (request.length > mostRequestBytes) throw requestIsLarge();
  if (run.requests.length >= 1_000) throw requestsAreMany();
  run.requests.push(request);
  return true;
}
