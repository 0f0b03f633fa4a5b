/* What entries of the ledger hold that a recovery reads. */

/** Where a list came from. */
export type ListFacts =
  /** A regular file, and how it was when the run began. */
  | {
      readonly kind: "file";
      /** Absolute. */
      readonly path: string;
      readonly bytes: number;
      readonly sha256: string;
    }
  /** A pipe or the like, kept in the run's spool. */
  | { readonly kind: "stream"; readonly spool: string; readonly name: string }
  /** A program that speaks to the store, kept in the run's spool. */
  | { readonly kind: "program"; readonly spool: string };

/** Which process a number means: numbers are given again, and begin anew with each start of a machine. */
export interface ProcessStamp {
  /** Of this start of the machine. */
  readonly boot: string;
  /** Clock ticks from there to the start of the process. */
  readonly start: string;
}
