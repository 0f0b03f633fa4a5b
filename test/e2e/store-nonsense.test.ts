import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestServer, onPath } from "../../packages/kvs/test/test-server.js";
import { until, usePlace } from "./harness.js";

/* Somebody has the secret of the store and writes nonsense into it: the run ends, says why, and what it wrote is whole. */

const place = usePlace();

describe("nonsense in the run's keys", () => {
  let server: TestServer;

  beforeEach(async () => {
    server = await TestServer.start(onPath("redis-server") ?? "");
  });
  afterEach(() => server.stop());

  /** Of the one run that is there. */
  async function keys(): Promise<string> {
    let prefix = "";
    await until("the run is open", async () => {
      const [meta = ""] = await server.strings("KEYS", "tm:*:meta");
      prefix = meta.replace(/meta$/, "");
      return prefix !== "";
    });
    return prefix;
  }

  it.each([
    ["reports that are none", (run: string) => server.command("RPUSH", `${run}reports`, "nonsense")],
    ["a text where the reports stand", (run: string) => server.command("SET", `${run}reports`, "x")],
    ["a text where requests stand", (run: string) => server.command("SET", `${run}requests`, "x")],
    ["a text where the run stands", (run: string) => server.command("SET", `${run}meta`, "x")],
    ["a token that is none", (run: string) => server.command("HSET", `${run}meta`, "token", "x")],
    ["numbers that are none", (run: string) => server.command("HSET", `${run}meta`, "members", "x")],
    ["an engine that is none", (run: string) => server.command("RPUSH", `${run}engines`, "NO ENGINE")],
  ])("%s", async (_, write) => {
    place().write(
      "tasks",
      `${"true\n".repeat(20)}touch up; until [ -e go ]; do sleep 0.02; done\n${"sleep 0.1\n".repeat(40)}`,
    );
    const url = `unix://${server.socket}`;
    const lease = ["--lease", "4", "--grace", "0.2"];
    const driver = place().start(["-s", "localhost:1", "-p", "x", ...lease, "--kvsserver", url, "tasks"]);
    const run = await keys();
    await until("a task runs", () => place().files().includes("up"));
    await write(run);
    place().write("go", "");
    const { code, stdout, stderr } = await driver.finished;
    expect({ code, stderr: /^\s+at /m.test(stderr) }).toEqual({ code: 1, stderr: false });
    expect(stdout + stderr).toMatch(/malformed|refused a request|another driver|run is over/i);
    // One that takes another's token for a takeover leaves it to that other.
    expect(stdout).toMatch(/^To go on: driver -r |^Another driver has taken this run over/m);
    const text = place().read("x_status.txt");
    for (const line of text.split("\n").slice(0, -1)) expect(line.split("\t")).toHaveLength(15);
    await server.command("FLUSHALL");
    const again = await place().run(["-s", "localhost:1", "-r", "x_status.txt", "-p", "y", "tasks"]);
    expect(again.code).toBe(0);
    expect(place().rows("y")).toHaveLength(61);
    // A driver that was shut out stops nobody, but what has neither driver nor run goes by itself.
    await until("its engine has gone", () => place().processes().length === 0 || place().processes());
  });

  it("a task that is none: it has a row that says so, and the others run", async () => {
    place().write("tasks", `touch up; until [ -e go ]; do sleep 0.02; done\n${"true\n".repeat(300)}`);
    const url = `unix://${server.socket}`;
    const driver = place().start(["-s", "localhost:1", "-p", "x", "--kvsserver", url, "tasks"]);
    const run = await keys();
    await until("a task runs", () => place().files().includes("up"));
    const last = String(await server.command("LINDEX", `${run}queue:c1`, "-1"));
    const [prefix = "", id = ""] = /^c1 (\d+):1:/.exec(last) ?? [];
    await server.command("LSET", `${run}queue:c1`, "-1", `${prefix}nonsense`);
    place().write("go", "");
    expect((await driver.finished).code).toBe(0);
    const rows = place().rows("x");
    expect(rows).toHaveLength(301);
    const bad = rows.filter((row) => row[6] !== "0");
    expect(bad.map((row) => [row[1], row[6], row[13]])).toEqual([
      [id, "74", "'malformed task: it is shorter than 28 bytes'"],
    ]);
  });
});
