import type { Target } from "../target.js";
import { addressFiles, addresses, mailServers, ownAddresses } from "./addresses.js";
import { auditedRows, wholeLedgers } from "./audit.js";
import { commandLines, driverLines, keys, ledgers } from "./command-line.js";
import { engineConfigs, engineInputs } from "./engine-input.js";
import { launcherFrames } from "./launcher-frames.js";
import { messages } from "./messages.js";
import { hostLists, slurmEnvironments, slurmHostLists, slurmTexts } from "./slurm.js";
import { reportRow, statusLine } from "./status-line.js";
import {
  claimTexts,
  packedElements,
  reportElements,
  serverInfo,
  snapshots,
  taskElements,
} from "./store-answers.js";
import { taskFile } from "./task-file.js";

/** Everything of ours that reads what others wrote. */
export const targets: readonly Target[] = [
  taskFile,
  statusLine,
  reportRow,
  ledgers,
  wholeLedgers,
  auditedRows,
  ...messages,
  taskElements,
  packedElements,
  claimTexts,
  reportElements,
  snapshots,
  serverInfo,
  addresses,
  ownAddresses,
  addressFiles,
  mailServers,
  slurmHostLists,
  hostLists,
  slurmTexts,
  slurmEnvironments,
  engineConfigs,
  engineInputs,
  launcherFrames,
  driverLines,
  keys,
  commandLines,
];
