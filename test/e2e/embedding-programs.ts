import { spawnSync } from "node:child_process";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Place, RunOptions, Running } from "./harness.js";

const root = new URL("../../", import.meta.url);

/** A program that embeds a run, started as a process of its own. */
export function startProgram(place: Place, body: string, options: RunOptions = {}): Running {
  const api = pathToFileURL(fileURLToPath(new URL("dist/index.js", root))).href;
  const redis = import.meta.resolve("ioredis");
  place.write(
    "program.mjs",
    `import { DisBatcher } from ${JSON.stringify(api)};
import { Redis } from ${JSON.stringify(redis)};
const say = (...values) => console.log(...values.map((value) => (typeof value === "string" ? value : JSON.stringify(value))));
${body}
`,
  );
  return place.shell(`exec ${quoted(process.execPath)} program.mjs`, options);
}

/** A script that signs in by hand, as any language can: `push(line)`, `result()`, `done()`. For `--taskcommand`. */
export function writeGenerator(place: Place, body: string): string {
  place.write(
    "generator.mjs",
    `import { Redis } from ${JSON.stringify(import.meta.resolve("ioredis"))};
const env = process.env;
const url = new URL(env.TASKMUSTER_KVS_URL);
const where = url.protocol === "unix:" ? { path: decodeURIComponent(url.pathname) } : { host: url.hostname, port: Number(url.port) };
const connect = () => new Redis({ ...where, password: env.TASKMUSTER_KVS_PASSWORD, protocol: 2 });
const kvs = connect();
const signIn = async () => {
  await kvs.rpush("task source name", "g");
  await kvs.rpush("task source done task", "no more");
  await kvs.rpush("task source result key", "g result");
  await kvs.rpush("task source task key", "g task");
};
const push = (...lines) => kvs.rpush("g task", ...lines);
const result = async () => {
  const [, id] = await kvs.blpop("g result done tasks", 0);
  return JSON.parse(await kvs.lpop("g result " + id));
};
const done = () => kvs.rpush("g task", "no more");
${body}
kvs.disconnect();
`,
  );
  return `${quoted(process.execPath)} generator.mjs`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

const examples = fileURLToPath(new URL("examples/python", root));

/** A Python with the package redis; null: there is none. */
export function findPython(): string | null {
  for (const python of ["python3", "/usr/bin/python3"]) {
    if (spawnSync(python, ["-c", "import redis"]).status === 0) return python;
  }
  return null;
}

export function startPython(place: Place, python: string, script: string, args = ""): Running {
  const env = {
    PYTHONPATH: examples,
    PYTHONDONTWRITEBYTECODE: "1",
    DRIVER: fileURLToPath(new URL("bin/driver", root)),
  };
  return place.shell(`exec ${quoted(python)} ${script.replace("EXAMPLES", quoted(examples))} ${args}`, {
    env,
  });
}
