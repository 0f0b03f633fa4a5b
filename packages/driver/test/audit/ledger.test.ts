import { describe, expect, it } from "vitest";
import { parseLedger } from "../../src/core/audit/ledger.js";
import { chooseSection } from "../../src/core/audit/choose-section.js";
import { runEntry, text } from "./made-up.js";

describe("parseLedger", () => {
  it("reads which attempts failed and were not the last, each once", () => {
    const retries = (...tasks: readonly object[]): object => ({ kind: "retries", at: "t", tasks });
    const { sections, badLines } = parseLedger(
      text(
        runEntry(),
        retries({ id: 3, attempt: 1, returnCode: 7 }, { id: 1, attempt: 1, returnCode: -15 }),
        retries({ id: 3, attempt: 2, returnCode: 8 }, { id: 3, attempt: 1, returnCode: 7 }),
        retries(
          { id: -1, attempt: 1, returnCode: 1 },
          { id: 4, attempt: 1 },
          { id: 5, attempt: 1, returnCode: 0.5 },
        ),
      ),
    );
    expect(badLines).toEqual([]);
    expect([...(sections[0]?.retried ?? [])]).toEqual([
      [
        3,
        [
          { attempt: 1, returnCode: 7 },
          { attempt: 2, returnCode: 8 },
        ],
      ],
      [1, [{ attempt: 1, returnCode: -15 }]],
    ]);
  });

  it("reads what each run wrote", () => {
    const { sections, badLines } = parseLedger(
      text(
        runEntry({ runId: "a" }),
        { kind: "epoch", at: "t", token: 1 },
        { kind: "lostEngine", at: "t", engine: "e", rank: 2, why: "gone", tasks: [{ id: 3, attempt: 1 }] },
        { kind: "end", at: "t2", reason: "finished", done: 4 },
        runEntry({
          runId: "b",
          version: 2,
          ids: 9,
          resumedFrom: ["x_status.txt"],
          setAside: "/x_status_1.txt",
        }),
        { kind: "window", tasks: 64 },
        {
          kind: "stoppedTasks",
          at: "t",
          rank: 0,
          host: "vm",
          why: "TERM",
          lost: false,
          tasks: [{ id: 1, attempt: 1 }],
        },
        {
          kind: "stoppedTasks",
          at: "t",
          rank: 0,
          host: "vm",
          why: "",
          lost: true,
          tasks: [{ id: 1, attempt: 2 }],
        },
        { kind: "returned", at: "t", tasks: [{ id: 1, attempt: 2 }] },
        { kind: "somethingNew", at: "t" },
      ),
    );
    expect(badLines).toEqual([]);
    expect(sections).toMatchObject([
      {
        run: { runId: "a", version: 1, ids: null, resumedFrom: [], setAside: null },
        epochs: 1,
        losses: [{ kind: "engine", rank: 2, host: null, why: "gone", tasks: [{ id: 3, attempt: 1 }] }],
        window: null,
        end: { reason: "finished", done: 4, ids: null, bytes: null, listRead: null },
      },
      {
        run: { runId: "b", version: 2, ids: 9, resumedFrom: ["x_status.txt"], setAside: "/x_status_1.txt" },
        epochs: 0,
        losses: [
          { kind: "stopped", host: "vm", why: "TERM" },
          { kind: "launcher", why: "" },
        ],
        window: 64,
        end: null,
      },
    ]);
    expect(sections[1]?.returned).toEqual(new Set(["1:2"]));
  });

  it("passes over what is no entry, and finds one that was appended to half a one", () => {
    const half = '{"kind":"lostEngine","at":"2026';
    const { sections, badLines } = parseLedger(
      `nonsense\n${text(runEntry({ runId: "a" }))}[1]\n${half}${text(runEntry({ runId: "b" }))}${half}`,
    );
    expect(sections.map(({ run }) => run?.runId)).toEqual(["a", "b"]);
    expect(badLines).toEqual([1, 3, 4]);
  });

  it("takes nothing for granted", () => {
    const { sections } = parseLedger(
      text(
        {
          kind: "lostEngine",
          tasks: [{ id: -1, attempt: 1 }, { id: 1.5, attempt: 1 }, null, { id: 2 }, { id: 3, attempt: 1 }],
        },
        { kind: "lostEngine", tasks: "none" },
        { kind: "end", reason: 7, done: "many" },
      ),
    );
    expect(sections).toMatchObject([
      {
        run: null,
        losses: [{ tasks: [{ id: 3, attempt: 1 }] }, { tasks: [] }],
        end: { reason: "", done: null },
      },
    ]);
  });
});

describe("chooseSection", () => {
  const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1, hour)).toISOString();
  const seconds = (hour: number): number => Date.UTC(2026, 0, 1, hour) / 1000;
  const nobody: ReadonlySet<number> = new Set();
  const two = parseLedger(
    text(
      runEntry({ runId: "first", at: at(0), pid: 11 }),
      { kind: "end", at: at(1), reason: "stopped", done: 1 },
      runEntry({ runId: "second", at: at(12), pid: 12, setAside: "/there/run_status_1.txt" }),
    ),
  );
  const file = { name: "run_status.txt", span: null, driverPids: nobody };

  it("is the last run for the file of that name, and an earlier one for a file that was set aside", () => {
    expect(chooseSection(two, file)).toMatchObject({ section: { run: { runId: "second" } }, isLast: true });
    expect(chooseSection(two, { ...file, name: "run_status_1.txt" })).toMatchObject({
      section: { run: { runId: "first" } },
      isLast: false,
    });
  });

  it("is one in whose time the rows are, and whose driver passed the barriers", () => {
    const early = { ...file, span: { first: seconds(0), last: seconds(1) } };
    expect(chooseSection(two, early)).toMatchObject({ section: { run: { runId: "first" } }, isLast: false });
    const late = { ...file, span: { first: seconds(13), last: seconds(100) } };
    expect(chooseSection(two, late)?.section.run?.runId).toBe("second");
    expect(chooseSection(two, { ...late, driverPids: new Set([12]) })?.section.run?.runId).toBe("second");
    expect(chooseSection(two, { ...late, driverPids: new Set([99]) })).toBeNull();
    expect(chooseSection(two, { ...file, span: { first: 5, last: 6 } })).toBeNull();
  });

  it("is none of a run that never had a status file", () => {
    const { sections } = two;
    const failed = parseLedger(
      text(runEntry({ runId: "third" }), { kind: "end", at: at(13), reason: "notStarted" }),
    );
    const ledger = { sections: [...sections, ...failed.sections], badLines: [] };
    expect(chooseSection(ledger, file)).toMatchObject({
      section: { run: { runId: "second" } },
      isLast: false,
    });
  });
});
