import {
  type ListFacts,
  type ListStore,
  MailNotifier,
  type ReadyList,
  type ResumeChoice,
  SmtpMailer,
  openKvsList,
  openList,
  readPerEngine,
  smtpServerOf,
  verifyResume,
} from "@taskmuster/driver";
import { addressLine } from "./embedding/announce.js";
import type { Settings } from "./settings.js";

/** A list, as far as it is known before there is a run. */
export interface PreparedList {
  /** Of a list that can be read twice; null: of another. */
  readonly facts: ListFacts | null;
  /** Number of tasks; null: not known. */
  readonly tasks: number | null;
  /** There is nothing to run, for certain. */
  readonly isEmpty: boolean;
  open(store: ListStore): Promise<ReadyList>;
  /** Where a stream is kept as it comes; null: it is no stream, or cannot be kept. */
  readonly spool: string | null;
  /** The last words to whoever is told of tasks by mail. Does not throw. */
  mailEnd(summary: readonly string[]): Promise<void>;
  /** Gives up what `open`, or after it `end`, waits for. */
  hurry(): void;
}

interface Around {
  readonly settings: Settings;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Where a stream is kept. */
  readonly spool: string;
  readonly jobId: string;
  readonly resume: ResumeChoice | null;
  /** What was kept of a stream, for a run that is recovered; null: the list is as it is named. */
  readonly kept: { readonly name: string; readonly upTo: number } | null;
  /** What a task command writes. */
  readonly onOutput: (text: Uint8Array) => void;
  readonly onNotice: (message: string) => void;
}

/** Throws `TaskmusterError`. */
export async function prepareList(around: Around): Promise<PreparedList> {
  const { list } = around.settings;
  const mail = prepareMail(around);
  return list.kind === "file" ? prepareFile(list.path, around, mail) : prepareStream(around, mail);
}

async function prepareFile(path: string, around: Around, mail: Mail): Promise<PreparedList> {
  const { settings, resume, onNotice } = around;
  const { lenient } = settings;
  const list = await openList(path, { lenient, spool: around.spool, ...around.kept });
  if (resume !== null && list.reread !== null && !resume.force) await verifyResume(list.reread, resume);
  const { perEngine, first, notices } = await readPerEngine(list.source);
  for (const notice of notices) onNotice(notice);
  return {
    facts: list.reread === null ? null : list.facts(),
    tasks: list.tasks,
    isEmpty: first.length === 0,
    open: ({ log }) =>
      Promise.resolve({
        source: list.source,
        perEngine,
        first,
        total: list.tasks,
        ids: list.ids,
        facts: list.facts(),
        reread: list.reread,
        sinks: mail.begin(log),
        end: () => Promise.resolve(),
      }),
    get spool() {
      return list.spool?.path ?? null;
    },
    mailEnd: (summary) => mail.end(summary),
    hurry: () => undefined,
  };
}

/** What a program hands over by way of the store: nothing is known of it before that is there. */
function prepareStream(around: Around, mail: Mail): PreparedList {
  const { settings, cwd, env, onOutput, onNotice } = around;
  const { list, graceMs, lenient } = settings;
  const starting = new AbortController();
  let opened: Awaited<ReturnType<typeof openKvsList>> | null = null;
  return {
    facts: null,
    tasks: null,
    isEmpty: false,
    open: async (store) => {
      if (settings.embedded) {
        await store.ready;
        process.stdout.write(addressLine(store.address));
      }
      opened = await openKvsList({
        ...store,
        command: list.kind === "command" ? list.command : null,
        cwd,
        env,
        graceMs,
        lenient,
        spool: around.spool,
        signal: starting.signal,
        onOutput,
        onNotice,
      });
      for (const notice of opened.notices) onNotice(notice);
      return {
        ...opened,
        total: null,
        ids: null,
        facts: { kind: "program", spool: opened.spool.path ?? around.spool },
        reread: null,
        sinks: [opened, ...mail.begin(store.log)],
      };
    },
    get spool() {
      return opened?.spool.path ?? null;
    },
    mailEnd: (summary) => mail.end(summary),
    hurry: () => {
      if (opened === null) starting.abort();
      else opened.hurry();
    },
  };
}

interface Mail {
  begin(log: ListStore["log"]): readonly MailNotifier[];
  end(summary: readonly string[]): Promise<void>;
}

/** Throws a usage error now, rather than when the first mail is due. */
function prepareMail({ settings, env, jobId, onNotice }: Around): Mail {
  const { mail } = settings;
  const none = { begin: () => [], end: () => Promise.resolve() };
  if (mail === null) return none;
  const mailer = new SmtpMailer(smtpServerOf({ ...env, ...process.env }), mail.to);
  let notifier: MailNotifier | null = null;
  return {
    begin: (log) => {
      notifier = new MailNotifier({ mailer, jobId, every: mail.every, log, onNotice });
      return [notifier];
    },
    end: async (summary) => notifier?.end(summary),
  };
}
