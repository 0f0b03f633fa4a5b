import { randomBytes } from "node:crypto";
import type { KvsStore } from "@taskmuster/kvs";

/** The place of a run in a store that has forgotten it. */
export interface ShutOut {
  /** Throws `KvsError` when it is not ours any more. */
  check(): Promise<void>;
  /** Gives it back. Does not throw. */
  end(): Promise<void>;
}

/**
 * Takes the place of a run in a store that has forgotten it: its driver, should it be alive, cannot open it there any more, and what still works
 * for it is told to stop. Throws `FencedError` when that driver was faster.
 */
export async function shutOut(store: KvsStore): Promise<ShutOut> {
  const nonce = randomBytes(8).toString("hex");
  const token = await store.open(new Uint8Array(0), { above: aboveAll, nonce, ranks: 0 });
  await store.order(token, { kind: "run" }, "stop");
  return {
    check: async () => void (await store.receive(token, 1)),
    end: async () => {
      await store.close(token).catch(() => undefined);
      await store.disconnect();
    },
  };
}

/** No driver has such a token: each raises it by one. */
const aboveAll = 2 ** 40;
