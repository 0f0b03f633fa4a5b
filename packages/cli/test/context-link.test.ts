import { KvsClosedError } from "@taskmuster/kvs";
import { MemoryServer, MemoryStore } from "@taskmuster/kvs/memory";
import { type EnrolRequest, runId } from "@taskmuster/kvs/protocol";
import { describe, expect, it, vi } from "vitest";
import { type ConnectContext, ContextLink } from "../src/contexts/context-link.js";

const run = runId("contextlink");
const info = Buffer.from("info");
const request: EnrolRequest = { label: "ctx", exactLabel: true, nonce: "n", info, limit: null };

async function rig() {
  const server = new MemoryServer();
  const token = await new MemoryStore(server, run).open(info);
  const losses: (() => void)[] = [];
  const connect: ConnectContext = async (onLost) => {
    losses.push(onLost);
    return new MemoryStore(server, run);
  };
  const link = await ContextLink.start(connect);
  const said: string[] = [];
  const keep = (): void =>
    link.keep({
      request: () => request,
      onBack: () => said.push("back"),
      onError: (error) => said.push(String(error)),
    });
  /** The server forgets, and whoever is connected notices. */
  const forget = (): void => {
    server.forget();
    losses.at(-1)?.();
  };
  const reopen = (): Promise<number> =>
    new MemoryStore(server, run).open(info, { above: token, nonce: "d", ranks: 0 });
  const labels = async (): Promise<readonly string[]> =>
    (await new MemoryStore(server, run).snapshot()).contexts.map(({ context }) => context);
  return { link, said, keep, forget, reopen, labels, losses };
}

describe("ContextLink", () => {
  it("enrols again with a store that has forgotten, as soon as its driver has opened the run there", async () => {
    const { link, said, keep, forget, reopen, labels } = await rig();
    expect(await link.enrol(request)).toMatchObject({ kind: "enrolled" });
    keep();
    forget();
    await vi.waitFor(async () => expect(await link.ask(info)).toBe(false));
    expect(said).toEqual([]);
    await reopen();
    await vi.waitFor(() => expect(said).toEqual(["back"]), 5_000);
    expect(await labels()).toEqual(["ctx"]);
    expect(await link.ask(info)).toBe(true);
    await link.disconnect();
  });

  it("does so each time, and not twice for one loss", async () => {
    const { link, said, keep, forget, reopen, losses } = await rig();
    keep();
    forget();
    losses[0]?.();
    await reopen();
    await vi.waitFor(() => expect(said).toEqual(["back"]), 5_000);
    forget();
    losses[0]?.();
    await reopen();
    await vi.waitFor(() => expect(said).toEqual(["back", "back"]), 5_000);
    expect(losses).toHaveLength(3);
    await link.disconnect();
  });

  it("enrols with a store that forgot before it knew as what", async () => {
    const { link, said, keep, forget, reopen } = await rig();
    forget();
    await reopen();
    keep();
    await vi.waitFor(() => expect(said).toEqual(["back"]), 5_000);
    await link.disconnect();
  });

  it("waits for nobody when it is disconnected", async () => {
    const { link, said, keep, forget } = await rig();
    keep();
    forget();
    await link.disconnect();
    await expect(link.ask(info)).rejects.toThrow(KvsClosedError);
    expect(said).toEqual([]);
  });
});
