import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP, isIPv4 } from "node:net";
import { bitString, integer, octetString, oid, sequence, der, tagged, tags, text, yes } from "./der.js";

/** Both in PEM. */
export interface ServerCertificate {
  readonly certificate: string;
  /** Of the server only. */
  readonly key: string;
}

/**
 * A new key (P-256, which every TLS library has) and a certificate that it has signed itself, for the server of one run. Whoever knows the
 * certificate takes no other; the names in it are for clients of other people, which look at them.
 */
export function makeCertificate(hosts: readonly string[]): ServerCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = publicKey.export({ type: "spki", format: "der" });
  const name = sequence(der(tags.set, sequence(oid(ids.commonName), text(tags.utf8String, "taskmuster"))));
  const body = sequence(
    // Version 3.
    tagged(0, true, integer(2)),
    integer(...randomBytes(16)),
    sequence(oid(ids.ecdsaWithSha256)),
    name,
    // For ever: the run's end is its end, and clocks of hosts differ.
    sequence(text(tags.utcTime, "700101000000Z"), text(tags.generalizedTime, "99991231235959Z")),
    name,
    spki,
    tagged(3, true, extensions(spki, hosts)),
  );
  const signature = sign("sha256", body, privateKey);
  return {
    certificate: pem(sequence(body, sequence(oid(ids.ecdsaWithSha256)), bitString(signature))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

const ids = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectKeyIdentifier: "2.5.29.14",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
} as const;

/** RFC 5280, section 4.2. */
function extensions(spki: Uint8Array, hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) === 0 ? tagged(2, false, Buffer.from(host)) : tagged(7, false, ipBytes(host)),
  );
  return sequence(
    // Signs nothing else.
    sequence(oid(ids.basicConstraints), yes, octetString(sequence())),
    sequence(oid(ids.extendedKeyUsage), octetString(sequence(oid(ids.serverAuth)))),
    sequence(
      oid(ids.subjectKeyIdentifier),
      octetString(octetString(createHash("sha1").update(spki).digest())),
    ),
    ...(names.length === 0 ? [] : [sequence(oid(ids.subjectAltName), octetString(sequence(...names)))]),
  );
}

function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split(".").map(Number));
  // In the one form that URLs give it, without zone and dots.
  const [head = "", tail] = new URL(`http://[${address.replace(/%.*/, "")}]`).hostname
    .slice(1, -1)
    .split("::");
  const groups = (part: string | undefined): string[] =>
    (part ?? "").split(":").filter((each) => each !== "");
  const missing = 8 - groups(head).length - groups(tail).length;
  const all = [
    ...groups(head),
    ...Array<string>(tail === undefined ? 0 : missing).fill("0"),
    ...groups(tail),
  ];
  return Buffer.from(all.map((group) => group.padStart(4, "0")).join(""), "hex");
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
