import { KvsError } from "../errors.js";

/** What we want to know of a server, from its answer to INFO. */
export interface ServerInfo {
  /** Chosen by the server at random each time it starts. */
  readonly runId: string;
  /** `Redis 7.0.15`, `Valkey 8.1.0` */
  readonly name: string;
  /** Of Redis, or the Redis version that a Valkey says it is compatible with. */
  readonly version: string;
  /** Undefined: the server does not say. */
  readonly evictionPolicy: string | undefined;
  /** It follows another server and takes no writes. */
  readonly replica: boolean;
  /** It still reads its data from disk and answers nothing else. */
  readonly loading: boolean;
}

const minimalVersion = "6.2";

/** Parses the answer to INFO. Throws `KvsError` when it is not that of a Redis or Valkey. */
export function parseServerInfo(text: string): ServerInfo {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(":");
    if (colon > 0 && !line.startsWith("#")) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const version = fields.get("redis_version");
  const runId = fields.get("run_id");
  if (version === undefined) throw new KvsError("it does not say which version of Redis or Valkey it is");
  if (runId === undefined || !/^[0-9a-f]{40}$/.test(runId) || /^0+$/.test(runId)) {
    throw new KvsError(
      "it hides its run_id (INFO server), without which a restart that loses data cannot be noticed",
    );
  }
  const valkey = fields.get("valkey_version");
  return {
    runId,
    name: valkey === undefined ? `Redis ${version}` : `Valkey ${valkey}`,
    version,
    evictionPolicy: fields.get("maxmemory_policy"),
    replica: fields.get("role") === "slave",
    loading: fields.get("loading") === "1",
  };
}

function isOlder(version: string, than: string): boolean {
  const ours = version.split(".").map(Number);
  for (const [at, needed] of than.split(".").map(Number).entries()) {
    const has = ours[at] ?? 0;
    if (has !== needed) return !(has > needed);
  }
  return false;
}

/** Throws `KvsError` when a run on this server could not be kept safe. */
export function checkServerInfo(info: ServerInfo): void {
  if (isOlder(info.version, minimalVersion)) {
    throw new KvsError(`it is ${info.name}; at least Redis ${minimalVersion}, or any Valkey, is needed`);
  }
  if (info.replica)
    throw new KvsError("it is a read-only replica of another server; give the address of that one");
  if (info.evictionPolicy !== undefined && info.evictionPolicy !== "noeviction") {
    throw new KvsError(
      `its maxmemory-policy is ${info.evictionPolicy}: it would drop tasks when memory runs short; ` +
        "set it with CONFIG SET maxmemory-policy noeviction, or use another server",
    );
  }
}
