import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ways } from "./kinds.js";
import { Rig, dead, isAlive, residentBytes } from "./rig.js";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

/** What disBatch shows of a stream. */
function snippetOf(whole: string): string {
  const rest = whole.slice(40);
  return rest === "" ? whole : `${whole.slice(0, 40)}...${rest.slice(-40)}`;
}

describe.each(ways)("$kind launcher, what a task writes $way", ({ kind, options }) => {
  let rig: Rig;
  beforeEach(async () => {
    rig = await Rig.open(kind, options);
  });
  afterEach(() => rig.close());

  it.each([0, 1, 39, 40, 41, 45, 79, 80, 81, 399, 400, 401, 70_000])(
    "%i bytes on each stream",
    async (length) => {
      const whole = Array.from({ length }, (_, index) => String.fromCharCode(97 + (index % 26))).join("");
      const result = await rig.run("printf %s $TEXT; printf %s $TEXT >&2; exit 1", { TEXT: whole });
      expect([result.out.bytes, result.err.bytes]).toEqual([length, length]);
      expect(text(result.out.snippet)).toBe(snippetOf(whole));
      expect(text(result.err.snippet)).toBe(snippetOf(whole));
      expect(text(result.lastWords)).toBe(whole.slice(-400));
    },
  );

  it("has no last words when it succeeds", async () => {
    const result = await rig.run("echo warning >&2");
    expect(text(result.err.snippet)).toBe("warning\n");
    expect(result.lastWords).toHaveLength(0);
  });

  it("floods of several at once are told apart", async () => {
    const program = `BEGIN { for (i = 0; i < 200000; i++) { printf "%s", o; if (i % 10 == 0) printf "%s", e > "/dev/stderr" } exit 1 }`;
    const tags = ["a", "b", "c", "d", "e", "f"].map((letter) => {
      const [o, e] = [letter.repeat(8), letter.toUpperCase().repeat(3)];
      return [rig.launch(`awk -v o=${o} -v e=${e} '${program}'`), letter] as const;
    });
    for (const [tag, letter] of tags) {
      const result = await rig.ended(tag);
      expect([result.out.bytes, result.err.bytes]).toEqual([1_600_000, 60_000]);
      expect(text(result.out.snippet)).toBe(snippetOf(letter.repeat(1000)));
      expect(text(result.lastWords)).toBe(letter.toUpperCase().repeat(400));
    }
  });

  it("hundreds of megabytes are counted exactly in flat memory", async () => {
    await rig.run("head -c 30000000 /dev/zero");
    const guard = rig.launcher.pid ?? 0;
    const before = { guard: residentBytes(guard), own: residentBytes(process.pid) };
    const result = await rig.run("head -c 400000000 /dev/zero; head -c 100000001 /dev/zero >&2");
    expect([result.out.bytes, result.err.bytes]).toEqual([400_000_000, 100_000_001]);
    expect(residentBytes(guard) - before.guard).toBeLessThan(8_000_000);
    expect(residentBytes(process.pid) - before.own).toBeLessThan(120_000_000);
  });

  it("a child left behind holds nothing up and is left alone", async () => {
    const result = await rig.run("(trap '' HUP; sleep 300; echo late) & echo $! >$DIR/child; echo now");
    expect(text(result.out.snippet)).toBe("now\n");
    const child = Number(await rig.written("child"));
    await rig.run("true");
    expect(isAlive(child)).toBe(true);
    process.kill(-result.pid, "SIGKILL");
    await dead(child);
  });

  it("a child left behind that floods is cut off at what the pipe held", async () => {
    const result = await rig.run("yes & echo $! >$DIR/child; exit 4");
    expect(result.outcome).toEqual({ kind: "exited", code: 4 });
    // Whoever reads nothing any more ends it.
    await dead(Number(await rig.written("child")));
  });

  it("all that its shell wrote before it ended is there, also from a pipe that it enlarged", async () => {
    const enlarge = "fcntl(STDOUT, 1031, 1048576); syswrite(STDOUT, 'x' x 300000); syswrite(STDOUT, 'end')";
    const result = await rig.run(`exec perl -e "${enlarge}"`);
    expect(result.out.bytes).toBe(300_003);
    expect(text(result.out.snippet).endsWith("xend")).toBe(true);
  });

  it("streams that it closes at once", async () => {
    const result = await rig.run("exec 1>&- 2>&-; exit 3");
    expect(result.outcome).toEqual({ kind: "exited", code: 3 });
    expect([result.out.bytes, result.err.bytes]).toEqual([0, 0]);
  });

  it("streams under other numbers", async () => {
    const result = await rig.run(
      "exec 7>&1 8<&0 9>&2 1>&- 2>&-; sleep 0.1; echo seven >&7; echo nine >&9; read x <&8",
    );
    expect(text(result.out.snippet)).toBe("seven\n");
    expect(text(result.err.snippet)).toBe("nine\n");
  });

  it("streams opened by name", async () => {
    const result = await rig.run("echo out >/dev/stdout; echo err >/dev/stderr; exit 1");
    expect(text(result.out.snippet)).toBe("out\n");
    expect(text(result.err.snippet)).toBe("err\n");
  });

  it("what looks like a launcher's own words is only text", async () => {
    const words = "\\0\\0\\0\\001F\\0\\0\\0\\005S\\0\\0\\0\\001+1\\n-1\\nD 0\\nM x\\n";
    const other = rig.launch("sleep 0.5; echo fine");
    const result = await rig.run(`for i in 1 2 3; do printf '${words}'; printf '${words}' >&2; done; exit 5`);
    expect(result.outcome).toEqual({ kind: "exited", code: 5 });
    expect(result.out.bytes).toBe(result.err.bytes);
    expect(text((await rig.ended(other)).out.snippet)).toBe("fine\n");
    expect(rig.told).not.toContain("fenced");
  });
});
