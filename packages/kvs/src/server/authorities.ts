import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { TaskmusterError } from "../errors.js";

/** Certificates of authorities, in PEM, as they stand in a file. It travels with the run's address. Throws a usage error. */
export function readAuthorities(path: string, option: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    throw usage(option, `cannot read ${path}: ${String(cause)}`, cause);
  }
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  if (found.length === 0) {
    throw usage(option, `${path} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)`);
  }
  // Not a private key, say, that stands there too.
  const certificates = found.map((each) => `${each}\n`).join("");
  if (certificates.length > mostBytes) {
    throw usage(
      option,
      `${path} holds too many certificates; name those that matter, or set NODE_EXTRA_CA_CERTS`,
    );
  }
  try {
    found.map((each) => new X509Certificate(each));
  } catch (cause) {
    throw usage(option, `a certificate in ${path} cannot be read: ${String(cause)}`, cause);
  }
  return certificates;
}

function usage(option: string, message: string, cause?: unknown): TaskmusterError {
  return new TaskmusterError("E_USAGE", `${option}: ${message}`, { cause });
}

/** Every engine is told them. */
const mostBytes = 64 * 1024;
