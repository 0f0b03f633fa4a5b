import type { DisBatcher as PublicDisBatcher } from "./public.js";
import { DisBatcher as Implementation } from "./dis-batcher.js";

/* The module that `import { DisBatcher } from "taskmuster"` gives; its types are public.d.ts. */

export const DisBatcher: typeof PublicDisBatcher = Implementation;
