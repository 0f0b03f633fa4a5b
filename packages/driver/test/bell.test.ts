import { describe, expect, it } from "vitest";
import { Bell } from "../src/bell.js";

async function rang(wait: Promise<void>): Promise<boolean> {
  let done = false;
  void wait.then(() => {
    done = true;
  });
  for (let i = 0; i < 10; i++) await Promise.resolve();
  return done;
}

describe("Bell", () => {
  it("lets a wait return when it rings, or had rung before", async () => {
    const bell = new Bell();
    const wait = bell.wait();
    expect(await rang(wait)).toBe(false);
    bell.ring();
    expect(await rang(wait)).toBe(true);
    bell.ring();
    bell.ring();
    expect(await rang(bell.wait())).toBe(true);
    expect(await rang(bell.wait())).toBe(false);
  });

  it("does not lose a ring that comes while the waiter is being let go", async () => {
    const bell = new Bell();
    const wait = bell.wait();
    bell.ring();
    await wait;
    bell.ring();
    expect(await rang(bell.wait())).toBe(true);
  });
});
