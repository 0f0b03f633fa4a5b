import { spawnSync } from "node:child_process";

/**
 * The npm that runs us, if one does. What it exported for us is not meant for this one, but for the way to its registry.
 * @param {readonly string[]} args
 * @param {string} cwd
 * @returns {{ status: number | null, stdout: string, stderr: string }}
 */
export function runNpm(args, cwd) {
  const cli = process.env["npm_execpath"];
  const [command, ...first] = cli?.endsWith(".js") === true ? [process.execPath, cli] : ["npm"];
  const reach =
    /^npm_config_(registry|ca|cafile|cert|key|proxy|https_proxy|http_proxy|noproxy|strict_ssl|userconfig|cache)$/i;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || reach.test(name)),
  );
  const { status, stdout, stderr, error } = spawnSync(command ?? "npm", [...first, ...args], {
    cwd,
    env,
    encoding: "utf8",
    maxBuffer: 64 << 20,
    timeout: 120_000,
  });
  return { status, stdout: stdout ?? "", stderr: error === undefined ? stderr : error.message };
}
