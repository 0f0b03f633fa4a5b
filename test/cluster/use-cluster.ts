import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { Cluster, type Part, whatIsMissing } from "./cluster.js";
import { ClusterPlace } from "./cluster-place.js";

/** With TASKMUSTER_CLUSTER=required a missing part fails the tests; else it skips them, and says what to do. */
const required = process.env["TASKMUSTER_CLUSTER"] === "required";

/** A cluster for the tests of a file, and a fresh place on it for each; after each test nothing of it is left on any machine. */
export function useCluster(...parts: readonly Part[]): () => ClusterPlace {
  let cluster: Cluster | null = null;
  let place: ClusterPlace | null = null;
  let missing: readonly string[] = [];

  beforeAll(async () => {
    missing = whatIsMissing(parts);
    if (missing.length === 0) cluster = await Cluster.start(parts);
    else if (required) throw new Error(`TASKMUSTER_CLUSTER=required, but ${missing.join("; ")}`);
    else process.stderr.write(`no test cluster here: ${missing.join("; ")}\n`);
  }, 90_000);
  afterAll(async () => {
    await cluster?.stop();
    cluster = null;
  }, 90_000);

  beforeEach(({ skip }) => {
    if (cluster === null) skip(`no test cluster here: ${missing.join("; ")}`);
    else place = new ClusterPlace(cluster);
  });
  afterEach(async () => {
    await place?.clean();
    place = null;
  }, 120_000);

  return () => {
    if (place === null) throw new Error("a place exists only during a test");
    return place;
  };
}
