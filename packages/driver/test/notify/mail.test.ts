import { describe, expect, it } from "vitest";
import { MailNotifier } from "../../src/notify/mail.js";
import type { Mail, Mailer } from "../../src/notify/smtp-mailer.js";
import { smtpServerOf } from "../../src/notify/smtp-server.js";
import { row } from "../rows.js";

/** A mail server whose answers the test gives. */
class Post implements Mailer {
  readonly mails: Mail[] = [];
  readonly answers: ((error?: Error) => void)[] = [];
  closed = false;

  send(mail: Mail): Promise<void> {
    this.mails.push(mail);
    return new Promise((resolve, reject) => {
      this.answers.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  close(): void {
    this.closed = true;
  }
}

function rig(every: number, endMs = 10_000) {
  const post = new Post();
  const notices: string[] = [];
  const logged: string[] = [];
  const log = {
    info: (_: object, message: string) => logged.push(message),
    warn: (_: object, message: string) => logged.push(message),
  };
  const notifier = new MailNotifier({
    mailer: post,
    jobId: "job",
    every,
    log: log as never,
    onNotice: (message) => notices.push(message),
    endMs,
  });
  let done = 0;
  return {
    post,
    notices,
    logged,
    notifier,
    /** The last ones of them failed. */
    ended: (count: number, failed = 0): void => {
      const rows = Array.from({ length: count }, (_, index) =>
        row(done + index, index >= count - failed ? { returnCode: 1 } : {}),
      );
      done += count;
      void notifier.publish(rows);
    },
    subjects: () => post.mails.map(({ subject }) => subject),
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("mail about a run", () => {
  it("comes for every so many tasks, and tells what ended since the last one", async () => {
    const { post, notifier, ended, subjects } = rig(3);
    ended(2);
    expect(subjects()).toEqual([]);
    ended(2, 1);
    expect(subjects()).toEqual(["job has completed 4 tasks (1 failed)"]);
    expect(post.mails[0]?.text).toMatch(/^Last 4:\n\n {4}\t0\t1\t-1\tvm\t100\t0\t/);
    expect(post.mails[0]?.text.trimEnd().split("\n")).toHaveLength(6);
    post.answers[0]?.();
    await turn();
    ended(2);
    expect(subjects()).toHaveLength(1);
    ended(1);
    expect(post.mails[1]?.text).toMatch(/^Last 3:\n/);
    post.answers[1]?.();
    const end = notifier.end(["a summary"]);
    await turn();
    expect(post.mails[2]).toEqual({ subject: "job has ended: 7 tasks (1 failed)", text: "a summary\n" });
    post.answers[2]?.();
    await end;
    expect(post.closed).toBe(true);
  });

  it("is never more than one under way: tasks meanwhile are gathered", async () => {
    const { post, ended } = rig(1);
    ended(1);
    ended(1);
    ended(250);
    expect(post.mails).toHaveLength(1);
    post.answers[0]?.();
    await turn();
    ended(1);
    expect(post.mails[1]?.text).toMatch(
      /^Last 252:\n\n\(152 before these are left out; the status file has them all\)\n/,
    );
    expect(post.mails[1]?.text.trimEnd().split("\n")).toHaveLength(103);
  });

  it("that fails is said once, logged each time, and tried again with the next one", async () => {
    const { post, notices, logged, notifier, ended } = rig(2);
    ended(2);
    post.answers[0]?.(new Error("no such server"));
    await turn();
    ended(1);
    expect(post.mails).toHaveLength(1);
    ended(1);
    expect(post.mails[1]?.text).toMatch(/^Last 4:\n/);
    post.answers[1]?.(new Error("no such server"));
    await turn();
    expect(notices).toEqual([
      "mail cannot be sent: no such server. The run goes on; TASKMUSTER_SMTP=smtp://HOST:PORT names a mail server",
    ]);
    expect(logged).toEqual(["mail could not be sent", "mail could not be sent"]);
    const end = notifier.end(["s"]);
    await turn();
    expect(post.mails[2]?.text).toMatch(/^s\n\nLast 4:\n/);
    post.answers[2]?.();
    await end;
  });

  it("is not waited for longer than agreed at the end", async () => {
    const { post, notices, notifier, ended } = rig(1, 30);
    ended(1);
    await notifier.end([]);
    expect(notices).toHaveLength(1);
    expect(post.closed).toBe(true);
  });
});

describe("the mail server", () => {
  it("is this host's, or the one that TASKMUSTER_SMTP names", () => {
    expect(smtpServerOf({})).toEqual({ host: "localhost", port: 25, secure: false, auth: null });
    expect(smtpServerOf({ TASKMUSTER_SMTP: "smtp://mail.example:2525" })).toMatchObject({
      host: "mail.example",
      port: 2525,
    });
    expect(smtpServerOf({ TASKMUSTER_SMTP: "smtps://u%40x:p%2F@[::1]" })).toEqual({
      host: "::1",
      port: 465,
      secure: true,
      auth: { user: "u@x", pass: "p/" },
    });
  });

  it.each(["mail.example:25", "http://mail.example", "smtp://", "smtp://u:secret@"])("is not %s", (text) => {
    expect(() => smtpServerOf({ TASKMUSTER_SMTP: text })).toThrow("TASKMUSTER_SMTP is no mail server");
    expect(() => smtpServerOf({ TASKMUSTER_SMTP: text })).not.toThrow("secret");
  });
});
