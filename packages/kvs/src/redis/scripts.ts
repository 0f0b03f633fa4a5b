import { createHash } from "node:crypto";
import acknowledge from "./scripts/acknowledge.lua";
import announce from "./scripts/announce.lua";
import ask from "./scripts/ask.lua";
import beat from "./scripts/beat.lua";
import claimsOf from "./scripts/claimsOf.lua";
import close from "./scripts/close.lua";
import enrol from "./scripts/enrol.lua";
import exchange from "./scripts/exchange.lua";
import expel from "./scripts/expel.lua";
import greet from "./scripts/greet.lua";
import join from "./scripts/join.lua";
import leave from "./scripts/leave.lua";
import open from "./scripts/open.lua";
import order from "./scripts/order.lua";
import post from "./scripts/post.lua";
import publish from "./scripts/publish.lua";
import receive from "./scripts/receive.lua";
import renew from "./scripts/renew.lua";
import restore from "./scripts/restore.lua";
import driver from "./scripts/shared/driver.lua";
import full from "./scripts/shared/full.lua";
import held from "./scripts/shared/held.lua";
import needs from "./scripts/shared/needs.lua";
import prologue from "./scripts/shared/prologue.lua";
import prune from "./scripts/shared/prune.lua";
import purge from "./scripts/shared/purge.lua";
import reports from "./scripts/shared/reports.lua";
import ring from "./scripts/shared/ring.lua";
import snapshot from "./scripts/snapshot.lua";
import takeOver from "./scripts/takeOver.lua";
import withdraw from "./scripts/withdraw.lua";

/** One Lua script: a verb of the port, done atomically by the server. */
export interface Script {
  readonly text: string;
  /** What `EVALSHA` knows it by. */
  readonly sha: string;
}

function script(...parts: readonly string[]): Script {
  const text = [prologue, ...parts].join("\n");
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

export const scripts = {
  open: script(purge, open),
  restore: script(full, ring, needs, driver, restore),
  greet: script(full, driver, greet),
  takeOver: script(full, takeOver),
  publish: script(ring, driver, publish),
  withdraw: script(full, driver, withdraw),
  receive: script(driver, reports, receive),
  acknowledge: script(full, driver, reports, acknowledge),
  order: script(full, driver, order),
  expel: script(full, ring, needs, prune, held, driver, expel),
  beat: script(full, driver, beat),
  post: script(full, driver, post),
  close: script(purge, close),
  enrol: script(enrol),
  ask: script(ask),
  join: script(join),
  announce: script(full, held, announce),
  exchange: script(full, ring, needs, exchange),
  renew: script(full, renew),
  leave: script(full, ring, needs, prune, leave),
  claimsOf: script(claimsOf),
  snapshot: script(needs, snapshot),
} as const;
