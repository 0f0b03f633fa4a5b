// Stands in for a driver that will be killed: starts a server and its keeper, opens a run and beats.
import { runId } from "@taskmuster/kvs/protocol";
import { connectRedisStore } from "@taskmuster/kvs/redis";
import {
  startKeeper,
  startPrivateServer,
  startReachableServer,
  writeAddressFile,
} from "@taskmuster/kvs/server";
import { quietBeat } from "../quiet-beat.js";

const [binary = "", directory = "", keeperScript = "", addressFile = "", leaseMs = "", publishedAs = ""] =
  process.argv.slice(2);

const run = runId("keptrun0");
const server =
  publishedAs === ""
    ? startPrivateServer({ binary, runId: run, directory })
    : await startReachableServer({
        binary,
        runId: run,
        directory,
        listen: { kind: "as", host: publishedAs, port: null },
      });
// Never a made-up number: the keeper kills it one day.
if (server.pid === undefined) throw new Error("the server was not started");
writeAddressFile(addressFile, { ...server.address, runId: run });
const keeper = startKeeper({
  node: process.execPath,
  keeperScript,
  addressFile,
  server: { pid: server.pid, directory: server.directory },
  leaseMs: Number(leaseMs),
  driverPatienceMs: 800,
});
const store = await connectRedisStore({
  address: server.address,
  runId: run,
  role: "driver",
  waitMs: 10_000,
});
const token = await store.open(Buffer.from("info"));
const beat = setInterval(() => void store.beat(token, quietBeat), 100);
process.stdout.write(
  `${JSON.stringify({ server: server.pid, directory: server.directory, keeper: keeper.pid })}\n`,
);

process.stdin.once("data", () => {
  void (async () => {
    clearInterval(beat);
    await store.close(token);
    await store.disconnect();
    await server.stop();
    await keeper.done();
    process.stdin.destroy();
  })();
});
