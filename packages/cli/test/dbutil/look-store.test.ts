import { KvsError } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { runId } from "@taskmuster/kvs/protocol";
import { expect, it } from "vitest";
import { LookStore } from "../../src/dbutil/look-store.js";

const run = runId("lookstore00");
const info = Buffer.from("info");

function rig() {
  const server = new MemoryServer();
  const connect = async (): Promise<MemoryStore> => new MemoryStore(server, run);
  let over = false;
  const store = new LookStore(new MemoryStore(server, run), connect, () => over);
  return { server, connect, store, end: () => (over = true) };
}

it("shows a run again that was opened again, and says meanwhile why it cannot be seen", async () => {
  const { server, connect, store } = rig();
  await (await connect()).open(info);
  expect((await store.snapshot()).token).toBe(1);
  server.forget();
  await expect(store.snapshot()).rejects.toThrow(/restarted or emptied.*its driver.*try again in a moment/);
  await expect(store.ask(info)).rejects.toThrow(KvsError);
  const looking = store.snapshot();
  await (await connect()).open(info, { above: 1, nonce: "d", ranks: 0 });
  expect((await looking).token).toBe(2);
  expect(await store.ask(info)).toBe(true);
});

it("shows a run that has ended as that", async () => {
  const { server, store, end } = rig();
  end();
  expect((await store.snapshot()).open).toBe(false);
  server.forget();
  expect((await store.snapshot()).open).toBe(false);
  expect(await store.ask(info)).toBe(false);
  await store.disconnect();
});
