import { appendFileSync, existsSync } from "node:fs";

/**
 * For whoever takes the run over later: when its store was ended no engine held a lease any more, so nothing of it runs anywhere. One
 * line in the run's ledger, if there is one. Does not throw.
 */
export function noteStoreEnded(addressFile: string): void {
  const ledger = addressFile.replace(/_kvsinfo\.txt$/, "_ledger");
  if (ledger === addressFile || !existsSync(ledger)) return;
  try {
    appendFileSync(ledger, `${JSON.stringify({ kind: "storeEnded", at: new Date().toISOString() })}\n`);
  } catch {
    // Then it waits for a lease, as if it did not know.
  }
}
