import { appendFileSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { describe, expect, it, vi } from "vitest";
import { completeVersion, parseLedger } from "../src/core/audit/ledger.js";
import { type LedgerEntry, ledgerVersion } from "../src/core/ledger-entry.js";
import { LedgerFile } from "../src/ledger-file.js";
import { StatusFileError } from "../src/status-file.js";
import { usePlace } from "./place.js";

const path = usePlace();

describe("a ledger", () => {
  it("is appended to, one line of JSON an entry, and is private", () => {
    const first = new LedgerFile(path("l"));
    first.append({ kind: "window", at: "now", tasks: 1 });
    first.close();
    first.close();
    const second = new LedgerFile(path("l"));
    second.append({ kind: "window", at: "now", tasks: 2 }, { kind: "window", at: "then", tasks: 3 });
    expect(readFileSync(path("l"), "utf8")).toBe(
      '{"kind":"window","at":"now","tasks":1}\n{"kind":"window","at":"now","tasks":2}\n{"kind":"window","at":"then","tasks":3}\n',
    );
    expect(second.close()).toBe(false);
    expect(statSync(path("l")).mode & 0o777).toBe(0o600);
  });

  it("takes nothing more once it is closed", () => {
    const ledger = new LedgerFile(path("l"));
    ledger.close();
    ledger.append({ kind: "window", at: "now", tasks: 1 });
    expect(readFileSync(path("l"), "utf8")).toBe("");
  });

  it("knows whether another driver has begun to write it", () => {
    const ledger = new LedgerFile(path("l"));
    expect(ledger.isOf(process.pid)).toBe(true);
    const epoch = {
      kind: "epoch",
      at: "now",
      token: 1,
      process: null,
      hostOnly: true,
      storeHost: null,
    } as const;
    ledger.append({ ...epoch, host: hostname(), pid: process.pid });
    expect(ledger.isOf(process.pid)).toBe(true);
    ledger.append({ ...epoch, host: hostname(), pid: process.pid + 1 });
    expect(ledger.isOf(process.pid)).toBe(false);
    ledger.append({ ...epoch, host: "elsewhere", pid: process.pid });
    expect(ledger.isOf(process.pid)).toBe(false);
    ledger.close();
  });

  it("says why it cannot be written", () => {
    writeFileSync(path("f"), "");
    expect(() => new LedgerFile(path("f/l"))).toThrow(StatusFileError);
    expect(() => new LedgerFile(path("f/l"))).toThrow(
      `cannot write ${path("f/l")}: a part of the path is not a directory`,
    );
    const full = new LedgerFile("/dev/full");
    expect(() => full.begin({ kind: "window", at: "now", tasks: 1 })).toThrow(
      "cannot write /dev/full: no space left",
    );
    expect(full.close()).toBe(false);
  });

  it("goes on when it cannot be written, says so once, and tells in the end what is lost", () => {
    const full = new LedgerFile("/dev/full");
    const onStuck = vi.fn<(error: StatusFileError) => void>();
    full.watch({ onStuck, onFree: () => undefined });
    full.append({ kind: "window", at: "now", tasks: 1 });
    full.append({ kind: "window", at: "now", tasks: 2 });
    expect(full.close()).toBe(true);
    expect(onStuck).toHaveBeenCalledOnce();
    expect(String(onStuck.mock.calls)).toContain("cannot write /dev/full: no space left on the device");
  });

  const whole = '{"kind":"window","at":"t","tasks":1}\n';
  it.each([
    ["half an entry", '{"kind":"lostEn'],
    ["half an entry that is long", `{"kind":"lostEngine","why":"${"x".repeat(10_000)}`],
    ["zero bytes", "\0".repeat(5000)],
    ["half a character", Buffer.from('{"why":"\u00e9').subarray(0, -1)],
    ["nothing", ""],
  ])("loses %s that a crash has left at its end, and nothing else", (_, torn) => {
    for (const before of [whole, whole + whole, ""]) {
      writeFileSync(path("l"), before);
      appendFileSync(path("l"), torn);
      const ledger = new LedgerFile(path("l"));
      ledger.append({ kind: "window", at: "t", tasks: 1 });
      ledger.close();
      expect(readFileSync(path("l"), "utf8")).toBe(before + whole);
    }
  });

  it("does not cut off what another driver has appended since", () => {
    writeFileSync(path("l"), `${whole}{"ki`);
    const ledger = new LedgerFile(path("l"));
    writeFileSync(path("l"), whole.repeat(3));
    ledger.append({ kind: "window", at: "t", tasks: 1 });
    ledger.close();
    expect(readFileSync(path("l"), "utf8")).toBe(whole.repeat(4));
  });

  it("says to an audit what it was told", () => {
    expect(ledgerVersion).toBeGreaterThanOrEqual(completeVersion);
    const at = "2026-01-01T00:00:00.000Z";
    const tasks = [{ id: 3, attempt: 2 }];
    const facts = {
      runId: "r",
      at,
      host: "vm",
      pid: 7,
      cwd: "/",
      taskFile: "tasks",
      resumedFrom: ["x_status.txt"],
      setAside: null,
      ids: 9,
      args: ["-s", "localhost:1", "tasks"],
      list: { kind: "file", path: "/tasks", bytes: 5, sha256: "aa" },
    } as const;
    const driver = {
      host: "vm",
      pid: 7,
      process: { boot: "b", start: "1" },
      hostOnly: true,
      storeHost: "vm",
    };
    const end = { at, reason: "stopped", done: 4, ids: 9, listRead: true, bytes: 77 };
    const entries: readonly LedgerEntry[] = [
      {
        ...facts,
        kind: "run",
        version: ledgerVersion,
        options: {
          failFast: false,
          retryFailed: true,
          forceResume: false,
          maxLosses: 2,
          retries: 0,
          retryDelayMs: 1000,
          timeoutMs: null,
          leaseMs: 1,
          graceMs: 1,
          cpusPerTask: 1,
          sync: true,
          serves: false,
        },
      },
      { ...driver, kind: "epoch", at, token: 1 },
      { kind: "lostStore", at, why: "dead", ids: [[1, 2]], tasks: [{ id: 4, attempt: 3 }] },
      { kind: "settled", at },
      { kind: "window", at, tasks: 2048 },
      { kind: "lostEngine", at, engine: "e", rank: 1, host: "a", why: "killed", tasks },
      { kind: "stoppedTasks", at, host: "b", lost: false, why: "Ctrl-C", tasks },
      { kind: "stoppedTasks", at, host: "c", lost: true, why: "", tasks },
      { kind: "returned", at, tasks },
      { kind: "retries", at, tasks: [{ id: 4, attempt: 1, returnCode: 3 }] },
      {
        kind: "unrecorded",
        at,
        why: "full",
        ids: [
          [5, 6],
          [8, 8],
        ],
      },
      { ...end, kind: "end" },
    ];
    const ledger = new LedgerFile(path("l"));
    ledger.begin(...entries.slice(0, 2));
    ledger.append(...entries.slice(2));
    ledger.close();
    const { sections, badLines } = parseLedger(readFileSync(path("l"), "utf8"));
    expect(badLines).toEqual([]);
    const loss = { at, rank: null, tasks };
    expect(sections).toEqual([
      {
        run: { ...facts, version: 2 },
        epochs: 1,
        drivers: [driver],
        storeEnded: false,
        isUnsettled: false,
        window: 2048,
        losses: [
          {
            ...loss,
            kind: "store",
            host: null,
            why: "dead",
            tasks: [
              { id: 4, attempt: 3 },
              { id: 1, attempt: 1 },
              { id: 2, attempt: 1 },
            ],
          },
          { ...loss, kind: "engine", rank: 1, host: "a", why: "killed" },
          { ...loss, kind: "stopped", host: "b", why: "Ctrl-C" },
          { ...loss, kind: "launcher", host: "c", why: "" },
          {
            ...loss,
            kind: "unrecorded",
            host: null,
            why: "full",
            tasks: [5, 6, 8].map((id) => ({ id, attempt: 0 })),
          },
        ],
        returned: new Set(["3:2"]),
        retried: new Map([[4, [{ attempt: 1, returnCode: 3 }]]]),
        end,
      },
    ]);
  });
});
