export { type ContextEnd, LocalContext, type LocalEngineConfig } from "./context/local.js";
export { type HostCores, type HostListResult, isThisHost, parseHostList } from "./core/host-list.js";
export { slotsOf } from "./core/slots.js";
