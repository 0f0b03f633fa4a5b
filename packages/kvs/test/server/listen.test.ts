import { TaskmusterError } from "@taskmuster/kvs";
import { parseUseAddress } from "@taskmuster/kvs/server";
import { describe, expect, it } from "vitest";

describe("--use-address", () => {
  it.each([
    ["node01", { kind: "as", host: "node01", port: null }],
    ["node01:7000", { kind: "as", host: "node01", port: 7000 }],
    ["node_1.cluster.local:0", { kind: "as", host: "node_1.cluster.local", port: null }],
    ["10.1.2.3", { kind: "as", host: "10.1.2.3", port: null }],
    ["10.1.2.3:65535", { kind: "as", host: "10.1.2.3", port: 65_535 }],
    ["[fd00::2]", { kind: "as", host: "fd00::2", port: null }],
    ["[fd00::2]:7000", { kind: "as", host: "fd00::2", port: 7000 }],
    [":7000", { kind: "everywhere", port: 7000 }],
    ["*", { kind: "everywhere", port: null }],
    ["0.0.0.0:7000", { kind: "everywhere", port: 7000 }],
    ["[::]:7000", { kind: "everywhere", port: 7000 }],
  ])("understands %s", (text, expected) => {
    expect(parseUseAddress(text)).toEqual(expected);
  });

  it.each(["localhost", "LocalHost:7000", "127.0.0.1", "127.0.1.1:80", "::1", "[::1]:7000", "ip6-localhost"])(
    "keeps to this host with %s",
    (text) => {
      expect(parseUseAddress(text)).toBeNull();
    },
  );

  it.each([
    ["", /no address; write HOST, HOST:PORT or \[IPV6\]:PORT/],
    [":", /no address/],
    ["host:", /no address/],
    ["host:port", /no address/],
    ["host:-1", /no address/],
    ["host:7000:1", /no address/],
    ["a b", /no address/],
    ["a/b:1", /no address/],
    ["redis://host:1", /no address/],
    ["user@host:1", /no address/],
    ["300.1.2.3:1", /no address/],
    ["[fd00::2", /no address/],
    ["[host]:1", /no address/],
    ["host:65536", /no port 65536/],
    ["7000", /for port 7000 of this host write :7000/],
    ["fd00::2:7000", /an address and a port\? Write \[ADDRESS\]/],
    ["[fe80::1%eth0]:7000", /link-local/],
    ["[fe80::1]", /link-local/],
  ])("refuses %j", (text, why) => {
    expect(() => parseUseAddress(text)).toThrow(TaskmusterError);
    expect(() => parseUseAddress(text)).toThrow(why);
    expect(() => parseUseAddress(text)).toThrow(/^--use-address: /);
  });
});
