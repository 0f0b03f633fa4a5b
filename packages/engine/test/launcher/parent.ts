// A stand-in for an engine, run as a process of its own so that it can be killed and stopped: takes the kind of launcher, commands
// to launch (or to enqueue, where there are slots) and a deadline as JSON from its first argument; says on standard output what it is told, one JSON value per line.
import type { Kind } from "./kinds.js";
import { launcherOf } from "./launcher-of.js";

export interface ParentOrders {
  readonly kind: Kind;
  readonly directory: string;
  readonly spawner?: string | null;
  readonly commands: readonly string[];
  /** All commands are put into so many slots. */
  readonly slots?: number;
  /** Of each command; one when not given. */
  readonly times?: number;
  /** From the first line of standard input on. */
  readonly deadlineMs?: number;
  readonly livenessFd?: number;
}

const orders = JSON.parse(process.argv[2] ?? "") as ParentOrders;
const say = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

const launcher = await launcherOf(
  orders.kind,
  {
    onEnds: (ends) => {
      for (const { tag, outcome, stopped } of ends) say({ tag, outcome, stopped });
    },
    onRecalled: (tags) => say({ recalled: tags }),
    onFenced: () => say("fenced"),
    onFailure: () => say("failure"),
  },
  {
    cwd: orders.directory,
    spawner: orders.spawner ?? null,
    ...(orders.livenessFd === undefined ? {} : { livenessFd: orders.livenessFd }),
  },
);
await launcher.start();
say({ launcher: launcher.pid });
if (orders.slots !== undefined)
  launcher.setSlots(Array.from({ length: orders.slots }, () => ({ env: {}, cpus: undefined })));
const commands = Array.from({ length: orders.times ?? 1 }, () => orders.commands).flat();
for (const [tag, text] of commands.entries()) {
  const request = { tag, command: Buffer.from(text), env: { DIR: orders.directory } };
  if (orders.slots === undefined) launcher.launch(request);
  else launcher.enqueue(request);
}
const { deadlineMs } = orders;
if (deadlineMs !== undefined) {
  process.stdin.once("data", () => {
    launcher.setDeadline(deadlineMs);
    say("deadline");
  });
}
// Whoever started us closes this when they have seen enough.
process.stdin.on("end", () => void launcher.close()).resume();
