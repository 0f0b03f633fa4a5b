import type { Readable } from "node:stream";
import type { KvsAddress } from "@taskmuster/kvs/server";

/*
 * The driver's side of `--embedded`: a program has started it and holds both ends of its standard input and output. The first line on standard
 * output says where the store is, the last one is the summary, both JSON; the end of standard input means that the program is gone.
 */

export function addressLine(address: KvsAddress): string {
  const { addresses, username, password, certificate } = address;
  return `${JSON.stringify({ addresses, username, password, certificate, private: address.private })}\n`;
}

/** Calls `onGone` at the end of the input; what is in it is read and means nothing. */
export function watchProgram(input: Readable, onGone: () => void): void {
  let told = false;
  const tell = (): void => {
    if (!told) onGone();
    told = true;
  };
  input.on("end", tell);
  input.on("close", tell);
  input.on("error", tell);
  input.resume();
}
