import { createHash } from "node:crypto";
import type { Script } from "../scripts.js";
import append from "./append.lua";
import claim from "./claim.lua";
import expire from "./expire.lua";
import fetch from "./fetch.lua";
import read from "./read.lua";
import results from "./results.lua";

function script(text: string): Script {
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

/** On keys that other programs write and read too; each may be repeated when its answer was lost. */
export const listScripts = {
  append: script(append),
  claim: script(claim),
  expire: script(expire),
  fetch: script(fetch),
  read: script(read),
  results: script(results),
} as const;
