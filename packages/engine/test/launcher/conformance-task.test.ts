import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ways } from "./kinds.js";
import { Rig } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

describe.each(ways)("$kind launcher, one task $way", ({ kind, options }) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind, options);
  });
  afterEach(() => rig.close());

  describe("its end", () => {
    it.each([0, 1, 3, 126, 127, 255])("exit status %i", async (code) => {
      const result = await rig.run(`exit ${code}`);
      expect(result.outcome).toEqual({ kind: "exited", code });
      expect(result.stopped).toBe(false);
    });

    it("death by each signal there is, and by none that does not kill", async () => {
      // bash ignores QUIT; the kernel CHLD, CONT, URG and WINCH, and stops no session that nobody can continue by TSTP, TTIN or TTOU.
      const harmless = new Set([3, 17, 18, 20, 21, 22, 23, 28]);
      // Node tells the death by a real-time signal as an exit status of 0.
      const last = kind === "node" ? 31 : 64;
      const signals = Array.from({ length: last }, (_, index) => index + 1).filter((signal) => signal !== 19);
      const tags = signals.map((signal) => rig.launch(`ulimit -c 0; kill -${signal} $$; exit 77`));
      for (const [index, tag] of tags.entries()) {
        const signal = signals[index] ?? 0;
        const survived = { kind: "exited", code: 77 };
        expect(await rig.ended(tag)).toMatchObject({
          outcome: harmless.has(signal) ? survived : { kind: "signalled", signal },
          stopped: false,
        });
      }
    });

    it("is not that it was stopped for a while, and continued", async () => {
      const result = await rig.run("(sleep 0.2; kill -CONT $$) & kill -STOP $$; wait; exit 77");
      expect(result).toMatchObject({ outcome: { kind: "exited", code: 77 }, stopped: false });
    });

    it("tells pid, times and elapsed of the shell", async () => {
      const before = Date.now() / 1000;
      const result = await rig.run("echo $$; sleep 0.2");
      expect(text(result.out.snippet)).toBe(`${result.pid}\n`);
      expect(result.elapsed).toBeGreaterThanOrEqual(0.2);
      expect(result.end - result.start).toBeCloseTo(result.elapsed, 0);
      expect(result.start).toBeGreaterThan(before - 0.1);
      expect(result.end).toBeLessThan(Date.now() / 1000 + 0.1);
    });

    it("is that of the program that replaced the shell", async () => {
      const result = await rig.run("echo $$; exec sh -c 'echo $$; exit 9'");
      expect(result.outcome).toEqual({ kind: "exited", code: 9 });
      expect(text(result.out.snippet)).toBe(`${result.pid}\n${result.pid}\n`);
    });

    it("set -e ends it at the first failure", async () => {
      const result = await rig.run("set -e; echo a; false; echo b");
      expect(result.outcome).toEqual({ kind: "exited", code: 1 });
      expect(text(result.out.snippet)).toBe("a\n");
    });

    it("a trap runs when it exits, and what it says is there", async () => {
      const result = await rig.run("trap 'echo last; exit 8' EXIT; echo first; exit 2");
      expect(result.outcome).toEqual({ kind: "exited", code: 8 });
      expect(text(result.out.snippet)).toBe("first\nlast\n");
    });

    it("is not that of what it runs in the background, or in another directory", async () => {
      const result = await rig.run("cd /; (exit 4) & wait $!; cd $DIR && pwd -P >$DIR/where; exit 6");
      expect(result.outcome).toEqual({ kind: "exited", code: 6 });
      expect(rig.read("where").toString()).toBe(`${rig.directory}\n`);
    });

    it("a program that it cannot find, or may not run, is the shell's 127 or 126", async () => {
      expect((await rig.run("exec /no/such/program")).outcome).toEqual({ kind: "exited", code: 127 });
      expect((await rig.run("exec /etc/passwd")).outcome).toEqual({ kind: "exited", code: 126 });
      expect((await rig.run("if then")).outcome).toEqual({ kind: "exited", code: 2 });
    });

    it("a trap may turn a signal into an exit status", async () => {
      const result = await rig.run("trap 'echo trapped; exit 7' TERM; kill -TERM $$; sleep 10");
      expect(result.outcome).toEqual({ kind: "exited", code: 7 });
      expect(text(result.out.snippet)).toBe("trapped\n");
    });

    it("kill 0 reaches its own process group and nothing else", async () => {
      const other = rig.launch("until [ -e $DIR/go ]; do sleep 0.05; done; echo untouched");
      const result = await rig.run("sleep 60 & kill 0; sleep 60");
      expect(result.outcome).toEqual({ kind: "signalled", signal: 15 });
      await rig.run("touch $DIR/go");
      expect(text((await rig.ended(other)).out.snippet)).toBe("untouched\n");
    });

    it("an empty command succeeds", async () => {
      const result = await rig.run("");
      expect(result.outcome).toEqual({ kind: "exited", code: 0 });
      expect(result.lastWords).toHaveLength(0);
    });
  });

  describe("what it finds", () => {
    it("our environment, the additions and its mark, and nothing else", async () => {
      const additions = {
        DIR: rig.directory,
        PLAIN: "1",
        EMPTY: "",
        ODD: "a=b c\nd 'e' \"f\" é",
        PATH: "/bin:/usr/bin",
      };
      await rig.run("cat /proc/$$/environ >$DIR/environ", additions);
      const found = rig.read("environ").toString().split("\0").filter(Boolean);
      const expected = Object.entries({ ...process.env, ...additions }).map(
        ([name, value]) => `${name}=${value}`,
      );
      const isMark = (entry: string): boolean => entry.startsWith("TASKMUSTER_TASK=");
      // Every bash sets these anew, also one that only becomes the task's.
      const isBashs = (entry: string): boolean => /^(?:_|PWD|OLDPWD|SHLVL)=/.test(entry);
      const others = (entries: readonly string[]): readonly string[] =>
        entries.filter((entry) => !isMark(entry) && !isBashs(entry)).toSorted();
      expect(others(found)).toEqual(others(expected));
      expect(found.filter(isMark)).toHaveLength(1);
    });

    it("a megabyte of additions", async () => {
      const additions = Object.fromEntries(
        Array.from({ length: 10 }, (_, index) => [`BIG${index}`, "x".repeat(100_000)]),
      );
      const result = await rig.run("echo ${#BIG0} ${#BIG9}", additions);
      expect(text(result.out.snippet)).toBe("100000 100000\n");
    });

    it("the directory that the launcher was given", async () => {
      await rig.run("cd /; pwd");
      expect(text((await rig.run("pwd -P")).out.snippet)).toBe(`${rig.directory}\n`.slice(0, 40));
    });

    it("/dev/null as its input", async () => {
      expect(text((await rig.run("readlink /proc/$$/fd/0; cat")).out.snippet)).toBe("/dev/null\n");
    });

    it.each([
      ["small", {}],
      // Started another way by the perl launcher.
      ["large", { BIG: "x".repeat(100_000) }],
    ])("no descriptor of ours, also while others run (%s ones)", async (_, env) => {
      const tags = Array.from({ length: 5 }, () => rig.launch("sleep 0.2; exec ls /proc/self/fd", env));
      // 3 is the directory that ls reads.
      for (const tag of tags) expect(text((await rig.ended(tag)).out.snippet)).toBe("0\n1\n2\n3\n");
    });

    it.each([
      ["small", {}],
      ["large", { BIG: "x".repeat(100_000) }],
    ])("signals neither blocked nor ignored (%s ones)", async (_, env) => {
      await rig.run("exec cat /proc/self/status >$DIR/status", env);
      const status = rig.read("status").toString();
      for (const field of ["SigBlk", "SigIgn", "SigPnd"]) {
        expect(status).toMatch(new RegExp(`^${field}:\\t0+$`, "m"));
      }
    });

    it("a session and a process group of its own", async () => {
      await rig.run("exec cat /proc/self/stat >$DIR/stat");
      const [pid, , , , group, session] = rig.read("stat").toString().split(" ");
      expect([group, session]).toEqual([pid, pid]);
    });
  });

  describe("its command", () => {
    it("reaches the shell byte for byte, whatever bytes", async () => {
      const bytes = Buffer.from(Array.from({ length: 255 }, (_, index) => index + 1)).filter(
        (byte) => byte !== 0x27,
      );
      const command = Buffer.concat([
        Buffer.from("printf %s '"),
        bytes,
        bytes,
        Buffer.from("' >$DIR/bytes \n\n"),
      ]);
      const result = await rig.run(command);
      expect(result.outcome).toEqual({ kind: "exited", code: 0 });
      expect(rig.read("bytes")).toEqual(Buffer.concat([bytes, bytes]));
    });

    it("keeps white space at both ends", async () => {
      const result = await rig.run("  cat /proc/$$/cmdline >$DIR/line\t \n\n");
      expect(result.outcome).toEqual({ kind: "exited", code: 0 });
      expect(rig.read("line").toString()).toBe("/bin/bash\0-c\0  cat /proc/$$/cmdline >$DIR/line\t \n\n\0");
    });

    it("may be as long as the kernel takes", async () => {
      const command = "echo ok #".padEnd(131_071, "x");
      expect(text((await rig.run(command)).out.snippet)).toBe("ok\n");
    });

    it.each([
      ["UTF-8", Buffer.from("echo ok #".padEnd(131_072, "x"))],
      ["not UTF-8", Buffer.from("echo ok #".padEnd(131_072, "\xff"), "latin1")],
    ])("cannot be a byte longer (%s)", async (_, command) => {
      const result = await rig.run(command);
      expect(result.outcome).toEqual({ kind: "failedToStart", errno: 7 });
      expect(result.pid).toBe(-1);
      const words = "Exception during task execution: [Errno 7] Argument list too long: '/bin/bash'";
      expect(text(result.err.snippet)).toBe(words);
      expect(result.err.bytes).toBe(words.length);
      expect(text(result.lastWords)).toBe(words);
      expect(result.out.bytes).toBe(0);
      expect((await rig.run("true")).outcome).toEqual({ kind: "exited", code: 0 });
    });

    it("cannot hold a NUL byte", async () => {
      const result = await rig.run("echo a\0b");
      expect(result.outcome).toEqual({ kind: "failedToStart", errno: 200 });
      expect(text(result.err.snippet)).toBe("Exception during task execution: embedded null byte");
    });
  });

  it("many at once each get their own end", async () => {
    const tags = Array.from(
      { length: 200 },
      (_, index) => [rig.launch(`echo ${index}; exit ${index % 7}`), index] as const,
    );
    for (const [tag, index] of tags) {
      const result = await rig.ended(tag);
      expect([result.outcome, text(result.out.snippet)]).toEqual([
        { kind: "exited", code: index % 7 },
        `${index}\n`,
      ]);
    }
  });
});
