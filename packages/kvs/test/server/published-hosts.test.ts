import type { NetworkInterfaceInfo } from "node:os";
import { parseEndpoint } from "@taskmuster/kvs/server";
import { describe, expect, it } from "vitest";
import { publishedHosts, tcpUrl } from "../../src/server/published-hosts.js";

function at(address: string, internal = false): NetworkInterfaceInfo {
  const rest = { netmask: "", mac: "", cidr: null, internal };
  return address.includes(":")
    ? { address, family: "IPv6", scopeid: 0, ...rest }
    : { address, family: "IPv4", ...rest };
}

describe("the hosts that a run publishes", () => {
  it("are all interfaces' addresses, likely virtual ones after the others, and names at the very end", () => {
    const interfaces = {
      lo: [at("127.0.0.1", true), at("::1", true)],
      docker0: [at("172.17.0.1")],
      "br-0a1b2c": [at("172.18.0.1"), at("fd01::1")],
      eth0: [at("10.0.0.1"), at("fd00::1")],
      ib0: [at("192.168.7.1")],
      virbr0: [at("192.168.122.1")],
    };
    expect(publishedHosts(interfaces, ["node01.cluster", "node01"])).toEqual([
      "10.0.0.1",
      "192.168.7.1",
      "fd00::1",
      "172.17.0.1",
      "172.18.0.1",
      "192.168.122.1",
      "fd01::1",
      "node01.cluster",
      "node01",
    ]);
  });

  it.each(["docker0", "br-1", "virbr0", "veth12ab", "cni0", "flannel.1", "lxcbr0", "podman1"])(
    "take %s for virtual, yet possible",
    (name) => {
      expect(publishedHosts({ [name]: [at("10.9.9.9")], eth0: [at("10.0.0.1")] }, [])).toEqual([
        "10.0.0.1",
        "10.9.9.9",
      ]);
    },
  );

  it("leave out what means something only on its own link or host", () => {
    const interfaces = { eth0: [at("169.254.3.4"), at("fe80::1"), at("febf::1"), at("fec0::1")] };
    expect(publishedHosts(interfaces, ["localhost", "localhost.localdomain", ""])).toEqual(["fec0::1"]);
  });

  it("are each named once, and no more than eleven, the names among them", () => {
    const many = Array.from({ length: 30 }, (_, n) => at(`10.0.0.${n % 20}`));
    const hosts = publishedHosts({ eth0: many, eth1: undefined }, ["node01.cluster", "node01", "node01"]);
    expect(hosts).toHaveLength(11);
    expect(new Set(hosts).size).toBe(11);
    expect(hosts.slice(-2)).toEqual(["node01.cluster", "node01"]);
  });

  it("make URLs, IPv6 in brackets", () => {
    expect(tcpUrl("10.0.0.1", 7000, false)).toBe("redis://10.0.0.1:7000");
    expect(tcpUrl("node_1.cluster", 7000, true)).toBe("rediss://node_1.cluster:7000");
    expect(tcpUrl("fd00::2", 7000, false)).toBe("redis://[fd00::2]:7000");
    for (const host of ["fd00::2", "node_1.cluster"]) {
      expect(parseEndpoint(tcpUrl(host, 7000, true))).toMatchObject({ host, port: 7000 });
    }
  });
});
