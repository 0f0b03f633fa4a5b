import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { attempt, encodeTask, needsKey, runId, taskId } from "@taskmuster/kvs/protocol";
import { findRow } from "../../src/monitor/find-task.js";
import { locateTask } from "../../src/monitor/locate-task.js";
import { text } from "./fixture.js";
import { busyRun } from "./made-up-runs.js";
import { Stage } from "./stage.js";

let dir = "";
const file = () => join(dir, "run_status.txt");

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "taskmuster-test-"));
});
afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function row(
  flags: string,
  id: number,
  more: { readonly code?: number; readonly command?: string } = {},
): string {
  const { code = 0, command = "true" } = more;
  return `${[flags, id, id + 1, -1, "node001", 77, code, "1.500", "1795205921.925", "1795205923.425", 3, "'ok\\n'", 0, "''", command].join("\t")}\n`;
}

describe("a task's row", () => {
  it("is found wherever it stands, and however long the lines before it are", async () => {
    const long = "x".repeat(600_000);
    const rows = Array.from({ length: 5_000 }, (_, id) =>
      row(" O  ", id, { command: id === 100 ? long : `echo ${id}` }),
    );
    writeFileSync(file(), rows.join(""));
    for (const id of [0, 99, 100, 101, 4_999]) {
      const found = await findRow(file(), id);
      expect([found?.row?.id, found?.row?.line]).toEqual([id, id + 1]);
    }
    expect((await findRow(file(), 100))?.row?.command).toHaveLength(600_000);
    expect((await findRow(file(), 5_000))?.row).toBeNull();
  });

  it("is the one that counts: no PERENGINE row, and a late one of a lost attempt only when there is no other", async () => {
    writeFileSync(
      file(),
      [row(" O P", 3, { code: 9 }), row(" O Z", 3, { code: 8 }), row(" O  ", 3, { code: 7 })].join(""),
    );
    expect((await findRow(file(), 3))?.row?.returnCode).toBe(7);
    writeFileSync(file(), row(" O Z", 3, { code: 8 }));
    expect((await findRow(file(), 3))?.row?.returnCode).toBe(8);
  });

  it("is not a line that is still being written", async () => {
    const whole = row(" O  ", 1);
    writeFileSync(file(), whole + row(" O  ", 2).slice(0, -5));
    const found = await findRow(file(), 2);
    expect(found).toEqual({ row: null, end: whole.length });
    appendFileSync(file(), row(" O  ", 2).slice(-5));
    expect((await findRow(file(), 2, found?.end))?.row?.id).toBe(2);
  });

  it("cannot be told where there is no status file", async () => {
    expect(await findRow(file(), 1)).toBeNull();
  });
});

describe("looking for a task", () => {
  const { picture } = new Stage().see(busyRun()).model;

  function holding(...ids: readonly number[]) {
    const asked: string[] = [];
    const store = {
      async claimsOf(engine: string) {
        asked.push(engine);
        if (engine !== "engine000003") return [];
        return ids.map((id) => ({
          id: taskId(id),
          attempt: attempt(2),
          needs: needsKey({ cores: 1 }),
          body: encodeTask({
            id: taskId(id),
            attempt: attempt(2),
            line: id + 1,
            timeoutMs: null,
            repeatIndex: 4,
            command: text("./step"),
          }),
        }));
      },
    };
    return { store, asked };
  }

  it("tells how it ended, from the status file", async () => {
    writeFileSync(file(), row("RO  ", 12, { code: -9, command: "sleep 5" }));
    const card = await locateTask(holding().store, file(), picture, 12);
    const facts = Object.fromEntries(card.facts.map(({ label, text: words }) => [label, words]));
    expect(facts).toMatchObject({
      state: "ended: signal 9 (KILL)",
      "ran on": "node001, process 77",
      took: "1.500 s",
      output: "3 bytes: 'ok\\n'",
      errors: "nothing",
      command: "sleep 5",
    });
  });

  it("tells which engine has it", async () => {
    writeFileSync(file(), "");
    const { store, asked } = holding(4_000, 4_001);
    const card = await locateTask(store, file(), picture, 4_001);
    expect(card.facts[0]?.text).toContain("with engine 3 on node004, context J48113");
    expect(card.facts.map(({ text: words }) => words)).toContain("4002 of the task file, repeat index 4");
    // Only those that hold something.
    expect(asked).not.toContain("engine000004");
  });

  it("finds it when it ends just while engines are asked", async () => {
    writeFileSync(file(), "");
    const store = {
      async claimsOf() {
        writeFileSync(file(), row(" O  ", 5));
        return [];
      },
    };
    expect((await locateTask(store, file(), picture, 5)).facts[0]?.text).toBe("ended: exit 0");
  });

  it("says that it has not started, or that nobody can tell", async () => {
    const store = new MemoryStore(new MemoryServer(), runId("abcdefgh"));
    writeFileSync(file(), "");
    expect((await locateTask(store, file(), null, 5)).facts[0]?.text).toContain("it waits for a free slot");
    expect((await locateTask(store, join(dir, "none"), null, 5)).facts[0]?.text).toContain(
      "cannot be read here",
    );
  });
});
