import { KvsError } from "./errors.js";

/** A user of a server. Holds a secret. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Where a key-value store is and how to get in. Holds a secret: never into argv, logs or messages. */
export interface KvsAddress {
  /**
   * URLs of one and the same server, the likeliest first; the first that answers is used: `unix:///path/to.sock`, `redis://host:port`, `rediss://host:port`
   * (TLS); `/N` or `?db=N` chooses a database. A password does not belong in here.
   */
  readonly addresses: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /**
   * In PEM, for `rediss://`. Of a private server: its certificate, the only one that is taken for it. Else: the authorities one of which must have
   * signed the server's, instead of those that Node knows.
   */
  readonly certificate?: string;
  /** What engines sign in with; without it, what we do. */
  readonly engines?: Credentials;
  /** Started by a driver for one run, and gone with it. */
  readonly private: boolean;
}

/** What an engine is told: nothing that gives it more than it needs. */
export function addressForEngines({ engines, ...address }: KvsAddress): KvsAddress {
  return { ...address, ...engines };
}

/** One parsed address. */
export type Endpoint =
  | { readonly kind: "unix"; readonly path: string; readonly db: number; readonly text: string }
  | {
      readonly kind: "tcp";
      readonly host: string;
      readonly port: number;
      readonly tls: boolean;
      readonly db: number;
      readonly text: string;
    };

export const defaultPort = 6379;

function database(text: string, url: string): number {
  if (text === "") return 0;
  if (!/^\d{1,5}$/.test(text)) throw new KvsError(`not a database number in ${url}: ${text}`);
  return Number(text);
}

/** Text of a URL that may be shown: without user and password. */
export function withoutSecret(address: string): string {
  return address.replace(/^([a-z]+:\/\/)(?!\/).*@/is, "$1");
}

/** Without its % escapes; null: one of them is none. */
export function unescaped(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

function refuseEscape(address: string): never {
  throw new KvsError(`not an address: ${address} has a % that begins no escape; write %25 for a %`);
}

/** Throws `KvsError` on anything that is no address of ours. */
export function parseEndpoint(address: string): Endpoint {
  const text = withoutSecret(address);
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new KvsError(
      `not an address of a key-value store: ${text}; give redis://HOST:PORT, rediss://HOST:PORT or unix:///PATH`,
    );
  }
  switch (url.protocol) {
    case "unix:":
      if (url.hostname !== "" || url.pathname === "")
        throw new KvsError(`not a socket: ${text}; write unix:///PATH`);
      return {
        kind: "unix",
        path: unescaped(url.pathname) ?? refuseEscape(text),
        db: database(url.searchParams.get("db") ?? "", text),
        text,
      };
    case "redis:":
    case "rediss:":
      if (url.hostname === "") throw new KvsError(`no host in ${text}; write ${url.protocol}//HOST:PORT`);
      return {
        kind: "tcp",
        host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
        port: url.port === "" ? defaultPort : Number(url.port),
        tls: url.protocol === "rediss:",
        db: database(url.pathname.replace(/^\//, ""), text),
        text,
      };
    default:
      throw new KvsError(`cannot use ${url.protocol}// in ${text}; give redis://, rediss:// or unix://`);
  }
}
