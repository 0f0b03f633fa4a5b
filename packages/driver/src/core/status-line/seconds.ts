import type { ByteWriter } from "@taskmuster/kvs/protocol";

/** Python's `%.3f` of a number of seconds. */
export function formatSeconds(seconds: number): string {
  // Halfway between two results lie only odd sixteenths, and only there does Python, which rounds to even, differ from `toFixed`.
  const sixteenths = seconds * 16;
  const text =
    Number.isInteger(sixteenths) && sixteenths % 2 !== 0 ? halfToEven(seconds) : seconds.toFixed(3);
  // No time has that sign, and a row that is read and written again would not keep it.
  return text === "-0.000" ? "0.000" : text;
}

/** Writes what `formatSeconds` says, in a fraction of its time: every row has three of them. */
export function writeSeconds(writer: ByteWriter, seconds: number): void {
  const milliseconds = seconds * 1000;
  const rounded = Math.round(milliseconds);
  // The product is off by less than this, so only near the middle of two results nobody can tell from it which one is right.
  const unsure = Math.abs(Math.abs(milliseconds - rounded) - 0.5) < 0.001;
  if (unsure || !(seconds >= 0 && seconds < 2 ** 31 - 1)) return writer.text(formatSeconds(seconds));
  const whole = Math.floor(rounded / 1000);
  writer.int(whole);
  writer.byte(0x2e);
  writer.digits(rounded - whole * 1000, 3);
}

function halfToEven(seconds: number): string {
  const below = Math.floor(seconds * 1000);
  return ((below % 2 === 0 ? below : below + 1) / 1000).toFixed(3);
}
