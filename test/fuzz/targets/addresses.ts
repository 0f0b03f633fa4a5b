import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { KvsError, TaskmusterError } from "@taskmuster/kvs";
import { readAddressFile, writeAddressFile } from "@taskmuster/kvs/server";
import { parseEndpoint, withoutSecret } from "../../../packages/kvs/src/address.js";
import { parseUseAddress } from "../../../packages/kvs/src/server/listen.js";
import { parseKvsServerOption } from "../../../packages/kvs/src/server/parse-option.js";
import { smtpServerOf } from "../../../packages/driver/src/notify/smtp-server.js";
import { type Target, must, mustEqual, unlessRefused } from "../target.js";

const secret = "hunter2";
const words = [
  "redis://",
  "rediss://",
  "unix://",
  "unix:///tmp/kvs.sock",
  "?db=3",
  "/3",
  "localhost:6379",
  "[::1]:6379",
  "[fe80::1%25eth0]",
  `me:${secret}@`,
  `:${secret}@`,
  "me@",
  ":0",
  ":65536",
];
const texts = [
  "localhost:6379",
  "redis://localhost",
  "redis://10.0.0.1:7000/3",
  "rediss://me@host.example.org:6380?db=2",
  "unix:///run/user/1000/kvs.sock?db=1",
  "redis://[::1]:6379",
  `redis://me:${secret}@host:6379`,
];

/** Addresses of stores, and what `--kvsserver` takes. */
export const addresses: Target = {
  name: "address",
  seeds: () => texts.map((text) => Buffer.from(text)),
  words,
  mostBytes: 4_096,
  check: (bytes) => {
    const text = bytes.toString("utf8");
    const endpoint = unlessRefused(KvsError, () => parseEndpoint(text));
    if (endpoint?.kind === "tcp") {
      must(endpoint.host !== "", "there is a host");
      must(endpoint.port >= 0 && endpoint.port <= 65_535, "there is such a port");
    }
    must(withoutSecret(withoutSecret(text)) === withoutSecret(text), "a secret is taken out once");
    const given = unlessRefused(TaskmusterError, () => parseKvsServerOption(text, {}));
    // What is taken here is used later, where nobody asks the user again.
    for (const address of given?.addresses ?? []) parseEndpoint(address);
    // A well-formed secret, and something readable around it.
    if (/^rediss?:\/\/[a-z]*:hunter2@(?!.*hunter2)[a-z0-9.:/?=]*$/.test(text)) {
      must(!withoutSecret(text).includes(secret), "a secret is not shown");
      for (const told of [() => parseEndpoint(text), () => parseKvsServerOption(text, {})])
        must(!wordsOf(told).includes(secret), "a secret is not told");
    }
  },
};

function wordsOf(run: () => unknown): string {
  try {
    return JSON.stringify(run());
  } catch (error) {
    return String(error);
  }
}

/** What `--use-address` takes. */
export const ownAddresses: Target = {
  name: "use-address",
  seeds: () =>
    ["host.example.org:7000", "[2001:db8::1]:7000", "10.0.0.1", ":7000", "*"].map((text) =>
      Buffer.from(text),
    ),
  words: ["[", "]", "::", ":0", ":65536", "localhost", "127.0.0.1", "fe80::1", "%eth0", "*"],
  mostBytes: 4_096,
  check: (bytes) => {
    const read = unlessRefused(TaskmusterError, () => ({ listen: parseUseAddress(bytes.toString("utf8")) }));
    if (read?.listen?.kind !== "as") return;
    const { host, port } = read.listen;
    // It is published as part of a URL.
    parseEndpoint(`redis://${host.includes(":") ? `[${host}]` : host}:${port ?? 6379}`);
  },
};

/** What `TASKMUSTER_SMTP` may name. */
export const mailServers: Target = {
  name: "mail-server",
  seeds: () => [
    Buffer.from("smtp://localhost:25"),
    Buffer.from("smtps://me:pass%20word@mail.example.org"),
    Buffer.from("smtp://[::1]"),
  ],
  words: ["smtp://", "smtps://", "%", "%zz", "@", ":", "me:pw@"],
  mostBytes: 4_096,
  check: (bytes) => {
    const server = unlessRefused(TaskmusterError, () =>
      smtpServerOf({ TASKMUSTER_SMTP: bytes.toString("utf8") }),
    );
    if (server !== undefined) must(server.host !== "", "there is a host");
  },
};

const directory = mkdtempSync(path.join(tmpdir(), "taskmuster-fuzz-"));
process.once("exit", () => rmSync(directory, { recursive: true, force: true }));

const addressText = JSON.stringify({
  version: 1,
  runId: "abcdefgh12345678",
  addresses: ["unix:///tmp/kvs.sock", "redis://node:7000"],
  username: "me",
  password: "secret",
  private: true,
});

export const addressFiles: Target = {
  name: "address-file",
  seeds: () => [Buffer.from(addressText), Buffer.from(addressText.replace(/"username".*?,/, ""))],
  words: ['"version":1', '"addresses":[', '"private":true', "[", "{", "null", '"runId":"abcdefgh"', "1e999"],
  mostBytes: 16_384,
  share: 0.1,
  check: (bytes) => {
    const file = path.join(directory, "kvsinfo");
    writeFileSync(file, bytes, { mode: 0o600 });
    const read = unlessRefused(KvsError, () => readAddressFile(file));
    if (read === undefined) return;
    writeAddressFile(file, read);
    mustEqual(readAddressFile(file), read, "an address file that was written again");
  },
};
