import { renameSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { runId } from "@taskmuster/kvs/protocol";
import { type PrivateServer, startPrivateServer } from "@taskmuster/kvs/server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Proxy } from "../../../kvs/test/proxy.js";
import { onPath } from "../../../kvs/test/test-server.js";
import { runFiles } from "../../src/run-files.js";
import { type StoreServer, inheritedServer } from "../../src/store/store-server.js";
import { usePlace } from "../place.js";
import { silentLog } from "../silent-log.js";

const binary = onPath("redis-server") ?? "";
const path = usePlace();

describe("the server of a run that was taken over", () => {
  let server: PrivateServer | null = null;
  let inherited: StoreServer | null = null;
  let proxy: Proxy | null = null;
  afterEach(async () => {
    await inherited?.dismiss();
    await proxy?.stop();
    await server?.stop();
  });

  it("is started again when it dies, also if it could not be reached just when it was taken over", async () => {
    const run = runId("inherit0");
    server = startPrivateServer({ binary, runId: run });
    await server.ready;
    const { directory, address, pid } = server;
    const socket = join(directory, "kvs.sock");
    proxy = await Proxy.start(join(directory, "link"), join(directory, "server"));
    renameSync(socket, join(directory, "server"));
    renameSync(join(directory, "link"), socket);
    proxy.refusing = true;

    const said: string[] = [];
    const inheriting = inheritedServer(
      {
        files: runFiles(path("one")),
        env: process.env,
        listen: null,
        leaseMs: 60_000,
        keeperScript: path("none"),
        onNotice: (message) => said.push(message),
      },
      { ...address, runId: run },
      hostname(),
    );
    const link = proxy;
    await vi.waitFor(() => expect(link.connections).toBeGreaterThan(2), 10_000);
    proxy.refusing = false;
    inherited = await inheriting;
    await inherited.watch({
      log: silentLog,
      checkOurs: () => undefined,
      onGivenUp: (error) => said.push(error.message),
    });
    if (pid === undefined || pid <= 1) expect.fail("it does not run");
    process.kill(pid, "SIGKILL");
    await proxy.stop();
    await vi.waitFor(() => expect(said).toEqual([expect.stringContaining("is started again")]), 20_000);
  });
});
