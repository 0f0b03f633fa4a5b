import { describe, expect, it } from "vitest";
import { isThisHost, parseHostList } from "../../src/core/host-list.js";

describe("parseHostList", () => {
  it("reads hosts with their counts, in the order of their first mention", () => {
    expect(parseHostList(["n2:4,localhost:1", "n1.cluster.org:28"])).toEqual({
      kind: "hosts",
      hosts: [
        { host: "n2", cores: 4 },
        { host: "localhost", cores: 1 },
        { host: "n1.cluster.org", cores: 28 },
      ],
    });
  });

  it("adds up a host that is named several times", () => {
    expect(parseHostList(["a:1,b:2,a:3", "a:5"])).toEqual({
      kind: "hosts",
      hosts: [
        { host: "a", cores: 9 },
        { host: "b", cores: 2 },
      ],
    });
  });

  it("takes a user before a host", () => {
    expect(parseHostList(["bob@n1:4,j.doe+x@n2.org:1,n1:2"])).toEqual({
      kind: "hosts",
      hosts: [
        { host: "bob@n1", cores: 4 },
        { host: "j.doe+x@n2.org", cores: 1 },
        { host: "n1", cores: 2 },
      ],
    });
  });

  it("tolerates empty items and blanks", () => {
    expect(parseHostList([" ,, a : 2 ,", ""])).toEqual({ kind: "hosts", hosts: [{ host: "a", cores: 2 }] });
  });

  it.each([
    ["a", "a", "no count"],
    ["a:", "a:", "count must be"],
    ["a:0", "a:0", "count must be"],
    ["a:-1", "a:-1", "count must be"],
    ["a:1.5", "a:1.5", "count must be"],
    ["a:1e3", "a:1e3", "count must be"],
    ["a:٣", "a:٣", "count must be"],
    ["a:100001", "a:100001", "count must be"],
    [":4", ":4", "not a host name"],
    ["a:1:2", "a:1:2", "not a host name"],
    ["-oProxyCommand=x:2", "-oProxyCommand=x:2", "not a host name"],
    ["-l@a:2", "-l@a:2", "not a host name"],
    ["bob@-oX:2", "bob@-oX:2", "not a host name"],
    ["@a:2", "@a:2", "not a host name"],
    ["a@b@c:2", "a@b@c:2", "not a host name"],
    ["a b:3", "a b:3", "not a host name"],
    ["ok:1, $(id):2", "$(id):2", "not a host name"],
    ["", "", "names no host"],
    [" , ", " , ", "names no host"],
  ])("refuses %j, and names the item that is at fault", (list, item, why) => {
    expect(parseHostList([list])).toEqual({ kind: "bad", item, why: expect.stringContaining(why) });
  });
});

describe("isThisHost", () => {
  it("compares the first label only, in any case, and knows localhost", () => {
    expect(isThisHost("localhost", "vm")).toBe(true);
    expect(isThisHost("vm", "vm.example.org")).toBe(true);
    expect(isThisHost("VM.other.org", "vm")).toBe(true);
    expect(isThisHost("vm2", "vm")).toBe(false);
  });

  it("takes a host with a user for another one", () => {
    expect(isThisHost("bob@vm", "vm")).toBe(false);
    expect(isThisHost("vm.bob@other", "vm")).toBe(false);
  });
});
