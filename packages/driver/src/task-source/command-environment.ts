import { type KvsAddress, parseEndpoint } from "@taskmuster/kvs/server";

/**
 * What the command that generates tasks is told of the key-value store: the one case in which a command gets the secret. disBatch's names too,
 * when the store listens on TCP.
 */
export function commandEnvironment(env: NodeJS.ProcessEnv, address: KvsAddress): NodeJS.ProcessEnv {
  const endpoints = address.addresses.map(parseEndpoint);
  const tcp = endpoints.find((endpoint) => endpoint.kind === "tcp");
  return {
    ...env,
    // It runs on this host, where a socket is the surest way.
    TASKMUSTER_KVS_URL: (endpoints.find(({ kind }) => kind === "unix") ?? endpoints[0])?.text,
    ...(address.username === undefined ? {} : { TASKMUSTER_KVS_USERNAME: address.username }),
    ...(address.password === undefined ? {} : { TASKMUSTER_KVS_PASSWORD: address.password }),
    ...(tcp === undefined ? {} : { KVSSTCP_HOST: tcp.host, KVSSTCP_PORT: String(tcp.port) }),
  };
}
