import { describe, expect, it } from "vitest";
import { until } from "../e2e/harness.js";
import { account, attempts, ended, journalled } from "./journal.js";
import { useCluster } from "./use-cluster.js";
import { bashWord } from "./words.js";

const place = useCluster("slurm");

interface Status {
  readonly contexts: readonly { readonly context: string; readonly ended: string }[];
  readonly engines: readonly { readonly host: string; readonly membership: string; readonly why: string }[];
}

async function status(): Promise<Status> {
  return JSON.parse(await place().dbutil("status", "--json", "run")) as Status;
}

describe("driver -S, with jobs that come and go", () => {
  it("grows from no context to three while 2,000 tasks run, and gets over the loss of one", async () => {
    place().write("tasks", journalled(2000, "sleep 0.1"));
    const driver = await place().serve();
    expect((await status()).contexts).toEqual([]);

    const script = bashWord(place().path("tasks_dbUtil.sh"));
    const first = await place().sh(
      `cd / && sbatch --parsable --ntasks=4 --output=${bashWord(place().path("first.out"))} ${script}`,
    );
    await until("the first context works", () => ended(place()) > 50 || place().read("first.out"), 30_000);
    const array = await place().sbatch("--ntasks=4 --array=1-2 tasks_dbUtil.sh");
    await until(
      "three hosts work",
      () => new Set(attempts(place()).map(({ host }) => host)).size === 3 || driver.stderr,
      30_000,
    );
    expect((await status()).contexts).toHaveLength(3);
    const before = ended(place());
    await until("they work together", () => ended(place()) > before + 100);
    await place().sh(`scancel ${array}_1`);

    const { stdout } = await place().ends(driver);
    expect(stdout).toContain("2000 done");
    expect(stdout).not.toContain("failed");
    account(place(), 2000);
    await place().jobIs(first, "COMPLETED");
    await place().jobIs(`${array}_2`, "COMPLETED");
  });

  it("tells whoever adds a context after the end that the run is over, and that is no failure", async () => {
    place().write("tasks", "true\n");
    const driver = await place().serve();
    const job = await place().sbatch("--ntasks=1 tasks_dbUtil.sh");
    await place().ends(driver);
    await place().jobIs(job, "COMPLETED");
    const late = await place().sbatch("--ntasks=1 tasks_dbUtil.sh");
    await place().jobIs(late, "COMPLETED");
    expect(place().outputOf(late)).toMatch(/over|ended|done/i);
    const byHand = await place().shell("./run_dbUtil.sh -s localhost:1").finished;
    expect(byHand.code).toBe(0);
    expect(`${byHand.stdout}${byHand.stderr}`).toMatch(/over|ended|done/i);
  });

  it("lets a context run as many tasks as -C says, never one more", async () => {
    place().write("tasks", journalled(30, "sleep 0.05"));
    const driver = await place().serve();
    const limited = await place().sbatch("--ntasks=4 --nodelist=node01 tasks_dbUtil.sh -C 9");
    await place().jobIs(limited, "COMPLETED");
    expect(attempts(place())).toHaveLength(9);
    await place().sbatch("--ntasks=2 --nodelist=node02 tasks_dbUtil.sh");
    await place().ends(driver);
    expect(account(place(), 30).filter(({ host }) => host === "node01")).toHaveLength(9);
  });

  it("runs PERENGINE START on each engine that joins, and keeps out where it fails", async () => {
    const start = "hostname >> started; [ $(hostname) != node02 ]";
    place().write("tasks", `#DISBATCH PERENGINE START ${start}\n${journalled(12, "sleep 0.1")}`);
    const driver = await place().serve("--start-must-succeed");
    const refused = await place().sbatch("--ntasks=2 --nodelist=node02 tasks_dbUtil.sh");
    await until("the engine on node02 is gone", async () => {
      const { engines } = await status();
      return engines.some(({ host, membership }) => host === "node02" && membership !== "member") || engines;
    });
    expect(attempts(place())).toEqual([]);
    await until("its job is over", async () => (await place().stateOf(refused)) !== "RUNNING");
    await place().sbatch("--ntasks=2 --nodelist=node03 tasks_dbUtil.sh");
    await until("node03 works", () => attempts(place()).length > 0);
    await place().ends(driver);
    expect(new Set(account(place(), 12).map(({ host }) => host))).toEqual(new Set(["node03"]));
    expect(place().read("started")).toBe("node02\nnode03\n");
    const starts = place()
      .rows("run")
      .filter(([flags]) => flags?.[3] === "P");
    expect(starts.map((row) => [row[4], row[6]])).toEqual([
      ["node02", "1"],
      ["node03", "0"],
    ]);
  });
});
