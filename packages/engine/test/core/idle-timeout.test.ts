import { describe, expect, it } from "vitest";
import { IdleTimeout } from "../../src/core/idle-timeout.js";

describe("IdleTimeout", () => {
  it("is over when nothing has run or waited for so long", () => {
    const idle = new IdleTimeout(60_000, 0);
    expect(idle.look(1000, 0, false)).toBe("working");
    expect(idle.look(60_999, 0, false)).toBe("working");
    expect(idle.look(61_000, 0, false)).toBe("idle");
  });

  it("begins anew with each look at something that runs", () => {
    const idle = new IdleTimeout(60_000, 0);
    expect(idle.look(59_000, 1, true)).toBe("working");
    expect(idle.look(118_000, 1, true)).toBe("working");
    expect(idle.look(177_000, 1, false)).toBe("working");
    expect(idle.look(178_000, 1, false)).toBe("idle");
  });

  it("notices tasks that came and went between two looks", () => {
    const idle = new IdleTimeout(60_000, 0);
    for (let look = 1; look < 10; look++) expect(idle.look(look * 59_000, look, false)).toBe("working");
  });
});
