import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const wrapper = fileURLToPath(new URL("../../bin/driver", import.meta.url));

/** Instead of the programs: tells what the wrapper hands on. */
const stub = (name: string): string =>
  `console.log(JSON.stringify([${JSON.stringify(name)}, process.argv.slice(2), process.env.TASKMUSTER_SIGHUP ?? null]))`;

let place = "";
let driver = "";

beforeAll(() => {
  place = mkdtempSync(path.join(tmpdir(), "taskmuster-wrapper-"));
  // What a shell would trip over, with a newline at the very end.
  const home = path.join(place, "a \"b' $(c)\n");
  for (const folder of ["bin", "dist"]) mkdirSync(path.join(home, folder), { recursive: true });
  driver = path.join(home, "bin", "driver");
  copyFileSync(wrapper, driver);
  writeFileSync(path.join(home, "package.json"), `{ "type": "module" }`);
  for (const name of ["driver", "dbutil"]) writeFileSync(path.join(home, "dist", `${name}.js`), stub(name));
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Runs a command line of bash, with the wrapper as $DRIVER. */
function shell(
  script: string,
  env: NodeJS.ProcessEnv = {},
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync("/bin/bash", ["-c", script], {
    cwd: place,
    env: { ...process.env, DRIVER: driver, ...env },
    encoding: "utf8",
    timeout: 30_000,
  });
  return { code: status, out: stdout, err: stderr };
}

function saysOf(script: string, env?: NodeJS.ProcessEnv): unknown {
  const { code, out, err } = shell(script, env);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  return JSON.parse(out);
}

describe("bin/driver", () => {
  it("hands on every argument as it is", () => {
    expect(saysOf(`"$DRIVER" 'a b' '' '*' $'x\\ny'`)).toEqual(["driver", ["a b", "", "*", "x\ny"], null]);
  });

  it("is found by its path, by PATH, and from its own directory", () => {
    expect(saysOf(`cd "\${DRIVER%/*}" && ./driver 1`)).toEqual(["driver", ["1"], null]);
    expect(saysOf(`cd "\${DRIVER%/*}" && bash driver 2`)).toEqual(["driver", ["2"], null]);
    expect(saysOf(`PATH="\${DRIVER%/*}:$PATH"; cd /; driver 3`)).toEqual(["driver", ["3"], null]);
  });

  it("works through chains of links, absolute and relative, under other names", () => {
    symlinkSync(driver, path.join(place, "disBatch"));
    symlinkSync("disBatch", path.join(place, "mine"));
    expect(saysOf("./mine 1")).toEqual(["driver", ["1"], null]);
    expect(saysOf(`bash mine 2`)).toEqual(["driver", ["2"], null]);
    expect(saysOf(`cd /; "${place}/disBatch" 3`)).toEqual(["driver", ["3"], null]);
  });

  it("is dbutil when called so, also through another link", () => {
    symlinkSync(driver, path.join(place, "dbutil"));
    symlinkSync("dbutil", path.join(place, "watch"));
    expect(saysOf("./dbutil x")).toEqual(["dbutil", ["x"], null]);
    expect(saysOf("./watch x")).toEqual(["dbutil", ["x"], null]);
  });

  it("tells whether SIGHUP was ignored when it started, and believes nobody else", () => {
    expect(saysOf(`nohup "$DRIVER" 2>/dev/null`)).toEqual(["driver", [], "ignored"]);
    expect(saysOf(`trap '' HUP; "$DRIVER"`)).toEqual(["driver", [], "ignored"]);
    expect(saysOf(`"$DRIVER"`, { TASKMUSTER_SIGHUP: "ignored" })).toEqual(["driver", [], null]);
  });

  it("says what to do without Node, or with one that is too old", () => {
    const missing = shell(`"$DRIVER"`, { TASKMUSTER_NODE: "/nowhere/node" });
    expect(missing).toMatchObject({ code: 1, out: "" });
    expect(missing.err).toMatch(/^driver: needs Node\.js 20 or newer, and '\/nowhere\/node' does not run/);

    const old = path.join(place, "old-node");
    writeFileSync(old, "#!/bin/sh\necho v18.20.4\n");
    chmodSync(old, 0o755);
    const tooOld = shell(`"$DRIVER"`, { TASKMUSTER_NODE: old });
    expect(tooOld).toMatchObject({ code: 1, out: "" });
    expect(tooOld.err).toContain("is v18.20.4");
  });

  it("says how to build what is not built", () => {
    mkdirSync(path.join(place, "un built", "bin"), { recursive: true });
    copyFileSync(wrapper, path.join(place, "un built", "bin", "driver"));
    const unbuilt = shell("'un built/bin/driver'");
    expect(unbuilt).toMatchObject({ code: 1, out: "" });
    expect(unbuilt.err).toMatch(
      /^driver: is not built\. Build it with: \(cd .*un\\ built && npm run build\)\n$/,
    );
  });
});
