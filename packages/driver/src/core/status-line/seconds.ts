/** Python's `%.3f` of a number of seconds. */
export function formatSeconds(seconds: number): string {
  // Halfway between two results lie only odd sixteenths, and only there does Python, which rounds to even, differ from `toFixed`.
  const sixteenths = seconds * 16;
  return Number.isInteger(sixteenths) && sixteenths % 2 !== 0 ? halfToEven(seconds) : seconds.toFixed(3);
}

function halfToEven(seconds: number): string {
  const below = Math.floor(seconds * 1000);
  return ((below % 2 === 0 ? below : below + 1) / 1000).toFixed(3);
}
