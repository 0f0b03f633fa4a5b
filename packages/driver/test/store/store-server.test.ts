import { existsSync, renameSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { runId } from "@taskmuster/kvs/protocol";
import {
  type PrivateServer,
  readAddressFile,
  startPrivateServer,
  writeAddressFile,
} from "@taskmuster/kvs/server";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Proxy } from "../../../kvs/test/proxy.js";
import { onPath } from "../../../kvs/test/test-server.js";
import { runFiles } from "../../src/run-files.js";
import { type StoreServer, type Undo, inheritedServer, newServer } from "../../src/store/store-server.js";
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

describe("the server of a run that is opened", () => {
  const address = { addresses: ["redis://one:1"], password: "secret", private: false };
  const before = { ...address, addresses: ["redis://two:2"], runId: runId("before00") };

  async function opened(): Promise<{ readonly file: string; readonly undo: () => Promise<void> }> {
    const files = runFiles(path("one"));
    const steps: Undo = [];
    const spec = {
      files,
      env: process.env,
      listen: null,
      leaseMs: 60_000,
      keeperScript: path("none"),
      onNotice: () => undefined,
    };
    await newServer(spec, { address }, runId("anew0000"), steps);
    expect(readAddressFile(files.kvsInfo)).toMatchObject({ addresses: ["redis://one:1"], runId: "anew0000" });
    const undo = async (): Promise<void> => {
      for (const step of steps.toReversed()) await step();
    };
    return { file: files.kvsInfo, undo };
  }

  it("is in the place of the one before, which is back when the rest fails: engines may be at work there", async () => {
    writeAddressFile(runFiles(path("one")).kvsInfo, before);
    const { file, undo } = await opened();
    await undo();
    expect(readAddressFile(file)).toMatchObject({ addresses: ["redis://two:2"], runId: "before00" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each(["there was none", "there was none that could be used"])(
    "is gone when the rest fails and %s",
    async (how) => {
      if (how.endsWith("used"))
        writeFileSync(runFiles(path("one")).kvsInfo, "Call me Ishmael.\n", { mode: 0o600 });
      const { file, undo } = await opened();
      await undo();
      expect(existsSync(file)).toBe(false);
    },
  );
});
