import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { TestServer, onPath } from "../../packages/kvs/test/test-server.js";
import { bin, usePlace } from "./harness.js";

const place = usePlace();
const root = fileURLToPath(new URL("../..", import.meta.url));
const password = "a password of ours";
/** What reads docker-compose.yml here is docker-compose itself, which is written in Python. */
const isThere = onPath("docker-compose") !== null && onPath("python3") !== null;
const isRequired = process.env["TASKMUSTER_CLUSTER"] === "required";

interface Service {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

/** The services as docker-compose understands them; it fails on what it does not. */
function services(env: Readonly<Record<string, string>>): Readonly<Record<string, Service>> {
  const toJson = "import sys, yaml, json; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
  const text = execFileSync(
    "/bin/bash",
    ["-c", 'set -o pipefail; docker-compose config | python3 -c "$1"', "-", toJson],
    {
      cwd: root,
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
    },
  );
  // What is a dollar to a shell in the container is written twice.
  const parsed: unknown = JSON.parse(text.replaceAll("$$", "$"));
  return (parsed as { readonly services: Readonly<Record<string, Service>> }).services;
}

// No Docker engine is needed: the commands of the services run here as they would in their containers.
describe.skipIf(!isThere && !isRequired)("docker-compose.yml (apt-get install docker-compose)", () => {
  let server: TestServer | null = null;
  afterEach(async () => {
    await server?.stop();
    server = null;
  });

  it("wants a password, waits for a healthy server, and keeps that one from forgetting", () => {
    expect(() => services({})).toThrow("set TASKMUSTER_KVS_PASSWORD");
    const { redis, driver, engine } = services({ TASKMUSTER_KVS_PASSWORD: "x" });
    expect(redis?.healthcheck?.test.join(" ")).toContain("redis-cli ping");
    for (const word of ["requirepass", "maxmemory-policy noeviction", 'save ""', "appendonly no"]) {
      expect(redis?.command.join(" ")).toContain(word);
    }
    for (const service of [driver, engine]) {
      expect(service?.depends_on).toEqual({ redis: { condition: "service_healthy" } });
    }
  });

  it("has a driver and engines, as many as wanted, that work through a list in the mounted directory", async () => {
    server = await TestServer.start(onPath("redis-server") ?? "", ["--requirepass", password]);
    const { driver, engine } = services({
      TASKMUSTER_KVS_PASSWORD: password,
      TASKS: "list",
      SLOTS: "3",
    });
    // Each waits until both engines have some.
    const task =
      "echo $DISBATCH_ENGINE_RANK >> ran; until [ $(sort -u ran | wc -l) = 2 ]; do sleep 0.05; done";
    place().write("list", Array.from({ length: 12 }, () => task).join("\n"));
    mkdirSync(place().path("bin"));
    for (const name of ["driver", "dbutil"])
      symlinkSync(`${dirname(bin)}/${name}`, place().path(`bin/${name}`));
    const env = {
      ...driver?.environment,
      // The name that the server has in a network of containers means nothing here.
      TASKMUSTER_KVSSERVER: `unix://${server.socket}`,
      PATH: `${place().path("bin")}:${process.env["PATH"] ?? ""}`,
    };
    const start = ([program = "", ...args]: readonly string[] = []) =>
      place().command(program, args, { env });
    const engines = [start(engine?.command), start(engine?.command)];
    const run = start(driver?.command);
    expect(await run.finished).toMatchObject({ code: 0, stderr: "" });
    for (const each of engines) expect((await each.finished).code).toBe(0);
    expect(place().rows()).toHaveLength(12);
  });
});
