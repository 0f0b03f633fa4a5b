import type { TaskEnd } from "./engine-port.js";
import { emptyDigest, lastWordsBytes } from "./output-digest.js";

/** EBADMSG: what a task that no engine can read ends with. It is not handed back, as the next engine would do no better. */
const badMessage = 74;

/** The end of a task that was not started because it cannot be read. `atSeconds`: since 1970. */
export function refusedEnd(tag: number, why: string, atSeconds: number): TaskEnd {
  const words = new TextEncoder().encode(why);
  return {
    tag,
    pid: -1,
    outcome: { kind: "failedToStart", errno: badMessage },
    stopped: false,
    start: atSeconds,
    end: atSeconds,
    elapsed: 0,
    out: emptyDigest,
    err: { bytes: words.length, snippet: words },
    lastWords: words.subarray(-lastWordsBytes),
  };
}
