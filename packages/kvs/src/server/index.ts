export { type AdoptedServer, adoptServer, endDistantServer } from "./adopt-server.js";
export { type KvsAddress, type Endpoint, defaultPort, parseEndpoint, withoutSecret } from "../address.js";
export { type RunAddress, readAddressFile, writeAddressFile } from "./address-file.js";
export { buildServerBinary } from "./build-binary.js";
export { findServerBinary } from "./find-binary.js";
export { type Keeper, type KeeperOptions, startKeeper } from "./keeper.js";
export { endOtherKeepers } from "./other-keepers.js";
export { parseKvsServerOption } from "./parse-option.js";
export { type Listen, parseUseAddress } from "./listen.js";
export { startReachableServer } from "./reachable-server.js";
export type { ServerIdentity, Tcp } from "./identity.js";
export {
  type PrivateServer,
  type RunningServer,
  type ServerExit,
  restartPrivateServer,
  startPrivateServer,
} from "./private-server.js";
