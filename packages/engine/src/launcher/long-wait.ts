/** Ends a wait before its time. */
export type CancelWait = () => void;

/** What Node's timers can count to. */
const mostMs = 2 ** 31 - 1;

/**
 * Calls `then` when so much time has passed by the monotonic clock, however long that is; and not before what has happened until then was
 * heard of: after a pause of ours (we were stopped, or starved) a child's end may wait behind the timer.
 */
export function waitFor(ms: number, then: () => void): CancelWait {
  const at = performance.now() + ms;
  let timer: NodeJS.Timeout | undefined;
  let last: NodeJS.Immediate | undefined;
  const look = (): void => {
    const left = at - performance.now();
    if (left > 0) timer = setTimeout(look, Math.min(Math.ceil(left), mostMs));
    else last = setImmediate(then);
  };
  look();
  return () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
}
