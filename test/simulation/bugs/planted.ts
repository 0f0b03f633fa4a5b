import type { ExchangeRequest, Greeting, KvsStore, QueuedTask } from "@taskmuster/kvs";
import { attempt, decodeReport, decodeTask, encodeReport, encodeTask } from "@taskmuster/kvs/protocol";
import type { Family } from "../faults/families.js";
import { driverVerbs } from "../truth/store-checks.js";
import { honestDesk } from "../wire/store-server.js";
import type { Bug } from "./bug.js";

interface PlantedBug {
  readonly name: string;
  /** For people. */
  readonly what: string;
  /** So seldom caught that the test suite does not wait for it. */
  readonly rare?: true;
  /** Where it shows. */
  readonly family: Family;
  readonly make: () => Bug;
}

/** The classic mistakes of such systems, each in a wrapper around a part that does not make them. */
export const bugs: readonly PlantedBug[] = [
  {
    name: "claim-again",
    what: "the store does an exchange that is sent again once more, so that tasks are claimed for nobody",
    family: "connections",
    make: () => ({
      desk: (asked) => {
        if (asked.verb !== "exchange") return honestDesk(asked);
        const [request] = asked.args as readonly [ExchangeRequest];
        const member = asked.memory.runs.get(asked.run)?.engines.get(request.engine);
        if (member?.seq === request.seq) member.seq--;
        return honestDesk(asked);
      },
    }),
  },
  {
    name: "report-lost-at-reconnect",
    what: "an exchange that is sent again after a break has lost its reports",
    family: "connections",
    make: () => ({
      resend: (request) => {
        if (request.verb !== "exchange") return;
        const [exchange] = request.args as readonly [ExchangeRequest];
        request.args = [{ ...exchange, reports: [] }];
      },
    }),
  },
  {
    name: "acknowledged-before-flush",
    what: "the driver acknowledges reports as soon as it has received them",
    family: "anything",
    make: () => ({
      driverStore: (store) => ({
        ...store,
        receive: async (token, max, from) => {
          const received = await store.receive(token, max, from);
          void store.acknowledge(token, received.from + received.reports.length).catch(() => undefined);
          return received;
        },
      }),
    }),
  },
  {
    name: "sync-lies",
    what: "a sync of the status file is answered before it is done",
    family: "anything",
    make: () => ({ diskLiesAboutSync: true }),
  },
  {
    name: "reoffer-before-fence",
    what: "the driver gives an engine up before its guardian has killed what it ran",
    family: "leases",
    make: () => ({ driverLease: (ms) => ms / 2 }),
  },
  {
    name: "expelled-unseen",
    what: "an engine is given up by an old look at it, although it has come back and started something since",
    rare: true,
    family: "leases",
    make: () => ({
      desk: (asked) => {
        if (asked.verb !== "expire") return honestDesk(asked);
        const [token, engine, why] = asked.args;
        return honestDesk({ ...asked, verb: "expel", args: [token, engine, why] });
      },
    }),
  },
  {
    name: "no-fence",
    what: "the guardian does not look at its deadline",
    family: "leases",
    make: () => ({ guardianIgnoresDeadline: true }),
  },
  {
    name: "zombie-counts",
    what: "a report of an attempt that was given up is taken for one of the present attempt, and clears barriers",
    family: "leases",
    make: () => ({ driverStore: asPresentAttempt }),
  },
  {
    name: "attempt-not-raised",
    what: "a task is offered again as the same attempt",
    family: "leases",
    make: () => ({
      driverStore: (store) => ({
        ...store,
        publish: (token, number, tasks, where) => store.publish(token, number, tasks.map(asFirst), where),
      }),
    }),
  },
  {
    name: "lease-by-wall-clock",
    what: "the driver measures leases by the clock on the wall",
    family: "clocks",
    make: () => ({ trustsWall: "driver" }),
  },
  {
    name: "credit-lost-on-release",
    what: "a task that is given back unstarted still counts against its context's limit",
    family: "leases",
    make: () => ({
      desk: async (asked) => {
        if (asked.verb !== "exchange") return honestDesk(asked);
        const run = asked.memory.runs.get(asked.run);
        const [request] = asked.args as readonly [ExchangeRequest];
        const member = run?.engines.get(request.engine);
        const isNew = member !== undefined && request.seq > member.seq;
        const released = isNew ? request.releases.filter(({ id }) => member.claims.has(id)).length : 0;
        const answer = await honestDesk(asked);
        const context = member === undefined ? undefined : run?.contexts.get(member.context);
        if (context?.credit !== undefined) context.credit -= released;
        return answer;
      },
    }),
  },
  {
    name: "publish-again",
    what: "tasks whose publication is sent again are queued twice",
    family: "connections",
    make: () => ({
      desk: (asked) => {
        const run = asked.memory.runs.get(asked.run);
        if (asked.verb === "publish" && run !== undefined) run.published = Number(asked.args[1]) - 1;
        return honestDesk(asked);
      },
    }),
  },
  {
    name: "withdrawn-in-words-only",
    what: "the store says that it has withdrawn a task, and has not",
    family: "leases",
    make: () => ({
      desk: (asked) => (asked.verb === "withdraw" ? Promise.resolve(true) : honestDesk(asked)),
    }),
  },
  {
    name: "reoffer-before-announcements",
    what: "after the store has forgotten, the driver offers again what it held before engines have said what they have",
    family: "amnesia",
    make: () => ({
      lasting: (store) => {
        const listen = store.listen.bind(store);
        store.listen = (listener) =>
          listen({
            ...listener,
            onReopened: (token) => {
              listener.onReopened(token);
              listener.onSettled();
            },
          });
      },
    }),
  },
  {
    name: "announcement-unheard",
    what: "what an engine announces to a store that has forgotten is not told to the driver",
    family: "amnesia",
    make: () => ({
      desk: async (asked) => {
        const answer = await honestDesk(asked);
        return asked.verb === "greet" && answer !== null
          ? { ...(answer as Greeting), announced: [] }
          : answer;
      },
    }),
  },
  {
    name: "zombie-driver",
    what: "the store does what a driver asks that was replaced",
    family: "takeover",
    make: () => ({
      desk: (asked) => {
        const { memory, run, verb, args } = asked;
        const token = memory.runs.get(run)?.token;
        if (token === undefined || !driverVerbs.has(verb)) return honestDesk(asked);
        return honestDesk({ ...asked, args: [token, ...args.slice(1)] });
      },
    }),
  },
];

/** Throws an `Error` for a person. */
export function bugNamed(name: string): PlantedBug {
  const bug = bugs.find((each) => each.name === name);
  if (bug === undefined)
    throw new Error(`no planted bug ${name}; there are: ${bugs.map((each) => each.name).join(", ")}`);
  return bug;
}

function asPresentAttempt(store: KvsStore): KvsStore {
  const present = new Map<number, number>();
  return {
    ...store,
    publish: (token, number, tasks, where) => {
      for (const task of tasks) present.set(task.id, task.attempt);
      return store.publish(token, number, tasks, where);
    },
    receive: async (token, max, from) => {
      const received = await store.receive(token, max, from);
      const reports = received.reports.map((each) => {
        const report = decodeReport(each.body);
        const raised = attempt(present.get(report.id) ?? report.attempt);
        return report.kind === "task"
          ? { ...each, body: encodeReport({ ...report, attempt: raised }) }
          : each;
      });
      return { ...received, reports };
    },
  };
}

function asFirst(task: QueuedTask): QueuedTask {
  const first = attempt(1);
  return { ...task, attempt: first, body: encodeTask({ ...decodeTask(task.body), attempt: first }) };
}
