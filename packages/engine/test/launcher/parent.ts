// A stand-in for an engine, run as a process of its own so that it can be killed and stopped: takes the kind of launcher, commands
// to launch and a deadline as JSON from its first argument; says on standard output what it is told, one JSON value per line.
import type { Kind } from "./rig.js";
import { launcherOf } from "./rig.js";

export interface ParentOrders {
  readonly kind: Kind;
  readonly directory: string;
  readonly commands: readonly string[];
  readonly deadlineMs?: number;
  readonly livenessFd?: number;
}

const orders = JSON.parse(process.argv[2] ?? "") as ParentOrders;
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

const launcher = await launcherOf(
  orders.kind,
  {
    onEnd: ({ tag, outcome, stopped }) => say({ tag, outcome, stopped }),
    onFenced: () => say("fenced"),
    onFailure: () => say("failure"),
  },
  {
    cwd: orders.directory,
    ...(orders.livenessFd === undefined ? {} : { livenessFd: orders.livenessFd }),
  },
);
await launcher.start();
if (orders.deadlineMs !== undefined) launcher.setDeadline(orders.deadlineMs);
say({ launcher: launcher.pid });
for (const [tag, command] of orders.commands.entries()) {
  launcher.launch({ tag, command: Buffer.from(command), env: { DIR: orders.directory } });
}
// Whoever started us closes this when they have seen enough.
process.stdin.on("end", () => void launcher.close()).resume();
