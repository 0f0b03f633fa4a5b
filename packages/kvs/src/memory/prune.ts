import type { EngineId } from "../protocol/index.js";
import type { Run } from "./run.js";

/** How many records of engines that are gone are kept; any whose reports the driver still wants stay too. */
const keep = 200;

/** Forgets the oldest of the engines that are gone, of which `engine` is the newest. */
export function prune(run: Run, engine: EngineId): void {
  run.gone.push(engine);
  // A bound for one call, as in the script; the next one goes on.
  for (let left = Math.min(run.gone.length - keep, 100); left > 0; left--) {
    const [oldest] = run.gone;
    const member = oldest === undefined ? undefined : run.engines.get(oldest);
    if (oldest === undefined || member === undefined || member.reported !== member.acknowledged) return;
    run.gone.shift();
    run.engines.delete(oldest);
    run.forgotten.add(oldest);
  }
}
