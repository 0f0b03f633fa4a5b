import { isIPv4, isIPv6 } from "node:net";
import { TaskmusterError } from "../errors.js";

/** Where a private server can be reached from other hosts, besides its Unix socket. */
export type Listen =
  /** At all addresses of this host. */
  | { readonly kind: "everywhere"; readonly port?: number | null }
  /** Published as exactly this host. Port null: one that is free. */
  | { readonly kind: "as"; readonly host: string; readonly port: number | null };

const forms = "HOST, HOST:PORT or [IPV6]:PORT";

/** What `--use-address` says; null: this host only. Throws a usage error. */
export function parseUseAddress(text: string): Listen | null {
  if (isIPv6(text) && !isLoopback(text)) {
    throw usage(`is ${text} an address, or an address and a port? Write [ADDRESS] or [ADDRESS]:PORT`);
  }
  const { host, port } = isIPv6(text) ? { host: text, port: null } : split(text);
  if (isLoopback(host)) return null;
  if (["", "*", "0.0.0.0", "::"].includes(host)) return { kind: "everywhere", port };
  if (/^fe[89ab].:/i.test(host) || host.includes("%")) {
    throw usage(`${host} is a link-local address: it means something else on every host; name another`);
  }
  return { kind: "as", host, port };
}

function split(text: string): { readonly host: string; readonly port: number | null } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(.*))?$/s.exec(text);
  if (match === null) throw noAddress(text);
  const [, bracketed, plain = "", portText] = match;
  const host = bracketed ?? plain;
  const port = portText === undefined ? null : parsePort(portText, text);
  if (bracketed !== undefined ? !isIPv6(bracketed) : !isHost(plain)) throw noAddress(text);
  // Somebody's port, for sure: a host of that name would be an IPv4 address in disguise.
  if (/^\d+$/.test(host)) throw usage(`${host} is no host; for port ${host} of this host write :${host}`);
  if (host === "" && port === null) throw noAddress(text);
  return { host, port };
}

function isHost(text: string): boolean {
  if (text === "" || text === "*" || isIPv4(text)) return true;
  // Four numbers that are no address are a mistyped address.
  return /^[a-z0-9_](?:[a-z0-9._-]{0,252})$/i.test(text) && !/^[\d.]*\.[\d.]*$/.test(text);
}

function parsePort(text: string, whole: string): number | null {
  if (!/^\d{1,5}$/.test(text)) throw noAddress(whole);
  const port = Number(text);
  if (port > 65_535) throw usage(`there is no port ${text}`);
  return port === 0 ? null : port;
}

function isLoopback(host: string): boolean {
  return host === "::1" || (isIPv4(host) && host.startsWith("127.")) || isLoopbackName(host);
}

export function isLoopbackName(host: string): boolean {
  return /^(?:ip6-)?localhost[46]?(?:\.localdomain[46]?)?\.?$/i.test(host);
}

function noAddress(text: string): TaskmusterError {
  return usage(`${JSON.stringify(text)} is no address; write ${forms}`);
}

function usage(message: string): TaskmusterError {
  return new TaskmusterError("E_USAGE", `--use-address: ${message}`);
}
