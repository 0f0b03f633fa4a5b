import { describe, expect, it } from "vitest";
import { Patience } from "../src/patience.js";
import { StatusFileError } from "../src/status-file.js";

const full = new StatusFileError("full", { mayHeal: true });

/** What was told, in order. */
function rig(): { readonly patience: Patience; readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    patience: new Patience("the file", {
      onStuck: (error) => told.push(`stuck: ${error.message}`),
      onFree: () => told.push("free"),
    }),
  };
}

/** Fails so often, then works. */
function writer(failures: readonly Error[]): { readonly write: () => Promise<void>; calls: number } {
  const left = [...failures];
  const made = {
    calls: 0,
    write: () => {
      made.calls++;
      const failure = left.shift();
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    },
  };
  return made;
}

describe("Patience", () => {
  it("says nothing of what works at once", async () => {
    const { patience: patient, told } = rig();
    await patient.insist(writer([]).write);
    expect([told, patient.stuck]).toEqual([[], false]);
  });

  it("tries again until it works, and says so once and once", async () => {
    const { patience: patient, told } = rig();
    const { write } = writer([full, full]);
    const done = patient.insist(write);
    await done;
    expect([told, patient.stuck]).toEqual([["stuck: full", "free"], false]);
    await patient.insist(writer([full]).write);
    expect(told).toEqual(["stuck: full", "free", "stuck: full", "free"]);
  });

  it("does not try again what will not heal", async () => {
    const { patience: patient, told } = rig();
    const bad = new StatusFileError("bad file descriptor");
    const made = writer([bad]);
    await expect(patient.insist(made.write)).rejects.toBe(bad);
    const bug = new Error("bug");
    await expect(patient.insist(writer([bug]).write)).rejects.toBe(bug);
    expect([told, made.calls]).toEqual([[], 1]);
  });

  it("tries a last time when it is given up, and not again", async () => {
    const { patience: patient } = rig();
    const made = writer(Array.from({ length: 50 }, () => full));
    const insisted = patient.insist(made.write);
    await Promise.resolve();
    patient.giveUp();
    patient.giveUp();
    await expect(insisted).rejects.toBe(full);
    expect(made.calls).toBeLessThanOrEqual(2);
    const later = writer([full]);
    await expect(patient.insist(later.write)).rejects.toBe(full);
    expect(later.calls).toBe(1);
    await patient.insist(writer([]).write);
  });

  it("does not wait for what does not answer once it is given up", async () => {
    const { patience: patient } = rig();
    const insisted = patient.insist(() => new Promise(() => undefined));
    patient.giveUp();
    await expect(insisted).rejects.toThrow("cannot write the file: the file system has not answered for 3 s");
  });
});
