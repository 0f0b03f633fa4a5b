import type { Bench, Measured } from "../bench.js";
import type { RowName } from "../figures/result.js";
import * as a from "./a-true.js";
import * as b from "./b-one-task.js";
import * as c from "./c-control-plane.js";
import * as d from "./d-short-tasks.js";
import * as e from "./e-wide-engine.js";
import * as f from "./f-spread-load.js";
import * as g from "./g-memory.js";
import * as h from "./h-many-engines.js";
import * as i from "./i-resume.js";
import * as j from "./j-cold-engine.js";
import * as k from "./k-profile.js";

export const rows: Readonly<Record<RowName, { measure(bench: Bench): Promise<Measured> }>> = {
  a,
  b,
  c,
  d,
  e,
  f,
  g,
  h,
  i,
  j,
  k,
};
