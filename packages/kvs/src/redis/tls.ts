import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { ConnectionOptions, PeerCertificate } from "node:tls";
import type { Endpoint, KvsAddress } from "../address.js";
import { KvsError } from "../errors.js";

/**
 * How to be sure who is at the other end before anything is sent, for `rediss://`; undefined for others. Throws `KvsError` when the address has
 * no certificate that can be read.
 */
export function tlsOptions(endpoint: Endpoint, address: KvsAddress): ConnectionOptions | undefined {
  if (endpoint.kind !== "tcp" || !endpoint.tls) return undefined;
  const { certificate } = address;
  if (address.private) {
    if (certificate === undefined) throw new KvsError("the address file has no certificate for it");
    return { ca: certificate, checkServerIdentity: onlyThis(certificate) };
  }
  return {
    ...(certificate === undefined ? {} : { ca: certificate }),
    // An address is no name (RFC 6066); the certificate must have it all the same.
    ...(isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {}),
  };
}

/** The one certificate itself, byte for byte; by which name it is reached does not matter. */
function onlyThis(certificate: string): (host: string, found: PeerCertificate) => Error | undefined {
  const { raw } = readCertificate(certificate);
  return (_host, found) => (raw.equals(found.raw) ? undefined : new Error(notOurs));
}

function readCertificate(certificate: string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (cause) {
    throw new KvsError("the certificate in the address file cannot be read", { cause });
  }
}

const notOurs = "it has the certificate of another server";

/** What TLS refused, in words; null: it was not TLS. `code` as Node and OpenSSL name it. */
export function explainTls(code: string, message: string, address: KvsAddress): string | null {
  if (message === notOurs) return message;
  if (code === "ERR_SSL_WRONG_VERSION_NUMBER" || code === "ERR_SSL_PACKET_LENGTH_TOO_LONG") {
    return "what listens there does not speak TLS; is it a server for redis://?";
  }
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `its certificate is for another name (${message})`;
  if (/SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_SIGNATURE|CERT_UNTRUSTED|INVALID_CA/.test(code)) {
    return address.private
      ? "what listens there is another server: it has not this run's certificate"
      : `its certificate is not signed by an authority that is trusted (${code}); name that one's with --kvs-ca FILE`;
  }
  if (code.startsWith("CERT_")) return `its certificate is not valid (${code})`;
  return code.startsWith("ERR_SSL_") ? `TLS failed (${code})` : null;
}
