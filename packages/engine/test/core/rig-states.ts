import { queued, Rig, type RigOptions } from "./rig.js";

/** An engine that runs and has been told that there is nothing to do. */
export function idleRig(options: RigOptions = {}): Rig {
  const rig = new Rig(options);
  rig.core.begin();
  rig.answer();
  rig.calls();
  return rig;
}

/** An engine with two slots that runs tasks 0 and 1 (tags 1 and 2), with no exchange under way. */
export function busyRig(options: RigOptions = {}): Rig {
  const rig = new Rig(options);
  rig.core.begin();
  rig.answer({ tasks: [queued(0), queued(1)] });
  rig.calls();
  return rig;
}

/** So many at most are claimed ahead, however many may end soon. */
export const mostAhead = 80;

/**
 * An engine with two slots whose tasks are over in 1 ms. It has claimed `ids`: the first runs with task 1 (tags 3 and 2), the others
 * wait in the launcher's queue. Unless they are many, an exchange for more is under way.
 */
export function hurriedRig(ids: readonly number[], options: RigOptions = {}): Rig {
  const rig = busyRig({ mostAhead, ...options });
  rig.endAtOnce(1);
  rig.answer({ tasks: ids.map((id) => queued(id)) });
  rig.calls();
  return rig;
}

/** From, to and with. */
export const ids = (from: number, to: number): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);
