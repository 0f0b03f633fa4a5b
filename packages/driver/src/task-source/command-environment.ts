import { type KvsAddress, parseEndpoint } from "@taskmuster/kvs/server";

/**
 * What the command that generates tasks is told of the key-value store: the one case in which a command gets the secret. disBatch's names too,
 * when the store listens on TCP without TLS.
 */
export function commandEnvironment(env: NodeJS.ProcessEnv, address: KvsAddress): NodeJS.ProcessEnv {
  const endpoints = address.addresses.map(parseEndpoint);
  const [tcp] = endpoints.flatMap((each) => (each.kind === "tcp" && !each.tls ? [each] : []));
  // It runs on this host, where a socket is the surest way.
  const best = endpoints.find(({ kind }) => kind === "unix") ?? endpoints[0];
  return {
    ...env,
    TASKMUSTER_KVS_URL: best?.text,
    ...(address.username === undefined ? {} : { TASKMUSTER_KVS_USERNAME: address.username }),
    ...(address.password === undefined ? {} : { TASKMUSTER_KVS_PASSWORD: address.password }),
    ...(best?.kind === "tcp" && address.certificate !== undefined
      ? { TASKMUSTER_KVS_CA: address.certificate }
      : {}),
    ...(tcp === undefined ? {} : { KVSSTCP_HOST: tcp.host, KVSSTCP_PORT: String(tcp.port) }),
  };
}
