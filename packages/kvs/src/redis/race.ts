import type { Endpoint, KvsAddress } from "../address.js";
import type { Refusal } from "./refusal.js";
import { type Role, type Session, startSession } from "./session.js";

export interface RaceOptions {
  readonly role: Role;
  readonly blocking: boolean;
  readonly signal: AbortSignal;
}

/** A next address is tried when the one before has not been connected to for so long (as RFC 8305 has it). */
const staggerMs = 250;
/** Once it has, the server is there: a busy one is not to be asked again at all of its addresses. */
const answerMs = 2_000;

/**
 * Tries the addresses of one server, each a little later than the one before, or as soon as one has failed. The first that
 * lets us in wins, and the others are closed. Otherwise what each one said.
 */
export function firstSession(
  endpoints: readonly Endpoint[],
  address: KvsAddress,
  options: RaceOptions,
): Promise<
  | { readonly kind: "won"; readonly session: Session; readonly endpoint: Endpoint }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[] }
> {
  const over = new AbortController();
  const giveUp = () => {
    over.abort();
  };
  if (options.signal.aborted) giveUp();
  options.signal.addEventListener("abort", giveUp, { once: true });
  const connectTimeoutMs = endpoints.length > 1 ? 5_000 : 10_000;
  const refusals = new Map<Endpoint, Refusal>();
  let started = 0;
  let timer: NodeJS.Timeout | undefined;

  return new Promise((resolve) => {
    const settle = (outcome: Parameters<typeof resolve>[0]) => {
      clearTimeout(timer);
      options.signal.removeEventListener("abort", giveUp);
      resolve(outcome);
    };
    const nextIn = (delayMs: number) => {
      clearTimeout(timer);
      timer = setTimeout(startNext, delayMs);
    };
    const attempt = async (endpoint: Endpoint, number: number) => {
      const result = await startSession(endpoint, address, {
        ...options,
        signal: over.signal,
        connectTimeoutMs,
        onConnected: () => {
          if (number === started && !over.signal.aborted) nextIn(answerMs);
        },
      });
      if (result.kind === "session") {
        // It may have been let in at the same moment as another, or as the end of it all.
        if (over.signal.aborted) {
          result.session.client.disconnect();
        } else {
          over.abort();
          settle({ kind: "won", session: result.session, endpoint });
          return;
        }
      } else {
        refusals.set(endpoint, result);
      }
      startNext();
    };
    const startNext = () => {
      clearTimeout(timer);
      const endpoint = over.signal.aborted ? undefined : endpoints[started];
      if (endpoint !== undefined) {
        started++;
        nextIn(staggerMs);
        void attempt(endpoint, started);
      } else if (over.signal.aborted || refusals.size === endpoints.length) {
        const said = endpoints.flatMap((each) => refusals.get(each) ?? []);
        settle({ kind: "refused", refusals: said });
      }
    };
    startNext();
  });
}
