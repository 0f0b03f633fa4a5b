import { KvsClosedError, KvsError } from "@taskmuster/kvs";
import { describe, expect, it } from "vitest";
import { isBreak } from "../../src/redis/break.js";

function systemError(code: string): Error {
  return Object.assign(new Error(`read ${code}`), { code, syscall: "read" });
}

describe("telling a broken connection from a mistake", () => {
  it.each([
    systemError("ECONNRESET"),
    systemError("EPIPE"),
    new Error("Connection is closed."),
    new Error("Stream isn't writeable and enableOfflineQueue options is false"),
    new Error("Socket timeout. Expecting data, but didn't receive any in 20000ms."),
  ])("%s is a break", (error) => {
    expect(isBreak(error)).toBe(true);
  });

  it.each([
    Object.assign(new TypeError('The "string" argument must be of type string'), {
      code: "ERR_INVALID_ARG_TYPE",
    }),
    new RangeError("out of range"),
    new Error("something else"),
    new KvsError("refused"),
    new KvsClosedError(),
    "text",
    undefined,
  ])("%s is none", (error) => {
    expect(isBreak(error)).toBe(false);
  });
});
