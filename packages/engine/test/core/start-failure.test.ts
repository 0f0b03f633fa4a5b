import { describe, expect, it } from "vitest";
import { startFailureDigest, startFailureText } from "../../src/core/start-failure.js";

describe("what a task that could not be started shows", () => {
  it.each([
    [7, "exec", "Exception during task execution: [Errno 7] Argument list too long: '/bin/bash'"],
    [2, "exec", "Exception during task execution: [Errno 2] No such file or directory: '/bin/bash'"],
    [11, "fork", "Exception during task execution: [Errno 11] Resource temporarily unavailable"],
    [999, "fork", "Exception during task execution: [Errno 999] Unknown error 999"],
    [200, "exec", "Exception during task execution: embedded null byte"],
  ] as const)("errno %i of %s", (errno, failed, text) => {
    expect(startFailureText(errno, failed)).toBe(text);
    const { err, lastWords } = startFailureDigest(errno, failed);
    expect(Buffer.from(err.snippet).toString()).toBe(text);
    expect(err.bytes).toBe(text.length);
    expect(Buffer.from(lastWords).toString()).toBe(text);
  });
});
