import { type Server as TcpServer, createServer } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until, usePlace } from "./harness.js";

const place = usePlace();

interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly text: string;
}

/** A real mail server that keeps what it gets. */
class Post {
  readonly mails: Received[] = [];
  readonly #server: SMTPServer;

  constructor() {
    this.#server = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS"],
      onData: (stream, session, callback) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({
            from: mailFrom === false ? "" : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            text: Buffer.concat(chunks).toString().replaceAll("\r\n", "\n").replaceAll("=\n", ""),
          });
          callback();
        });
      },
    });
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      const listening = this.#server.listen(0, "127.0.0.1", () => resolve(portOf(listening)));
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  get subjects(): readonly string[] {
    return this.mails.map(({ text }) => /^Subject: (.*)$/m.exec(text)?.[1] ?? "");
  }
}

function portOf(server: Pick<TcpServer, "address">): number {
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("it does not listen");
  return address.port;
}

describe("driver --mailTo", () => {
  let post: Post;
  let env: Readonly<Record<string, string>>;

  beforeEach(async () => {
    post = new Post();
    env = { TASKMUSTER_SMTP: `smtp://127.0.0.1:${await post.listen()}` };
  });
  afterEach(() => post.close());

  it("mails what has ended as it ends, and in the end what became of the list", async () => {
    place().write("tasks", "true\nexit 3\nuntil [ -e mailed ]; do sleep 0.01; done; echo é\n");
    const running = place().start(
      ["-s", "localhost:1", "-p", "run", "--mailTo", "me@example.org", "--mailFreq", "2", "tasks"],
      { env },
    );
    await until("the first mail has come", () => post.mails.length === 1);
    place().write("mailed", "");
    const { code, stderr } = await running.finished;
    expect([code, stderr]).toEqual([0, ""]);
    expect(post.subjects).toEqual([
      "run has completed 2 tasks (1 failed)",
      "run has ended: 3 tasks (1 failed)",
    ]);
    for (const { from, to } of post.mails) expect([from, to]).toEqual(["me@example.org", ["me@example.org"]]);
    expect(post.mails[0]?.text).toMatch(/\nLast 2:\n\n.*\ttrue\nR .*\texit 3\n/);
    expect(post.mails[1]?.text).toMatch(/\ntasks +3 done, 1 failed\n[^]*\nstatus file .*run_status\.txt\n/);
    expect(post.mails[1]?.text).toMatch(/\nLast 1:\n\n O /);
  });

  it("mails for each task when nothing else is said, and gathers those of a busy run", async () => {
    place().write("tasks", "#DISBATCH REPEAT 500 :\n");
    const { code } = await place().run(
      ["-s", "localhost:2", "-p", "run", "--mailTo", "me@example.org", "tasks"],
      { env },
    );
    expect(code).toBe(0);
    expect(post.subjects.at(-1)).toBe("run has ended: 500 tasks");
    const told = post.mails.map(({ text }) => Number(/\nLast (\d+):/.exec(text)?.[1] ?? 0));
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(500);
    expect(post.mails.length).toBeLessThan(501);
  });

  it("goes on without a mail server, and says so once", async () => {
    await post.close();
    place().write("tasks", "true\ntrue\ntrue\n");
    const { code, stderr } = await place().run(
      ["-s", "localhost:1", "-p", "run", "--mailTo", "me@example.org", "tasks"],
      { env },
    );
    expect(code).toBe(0);
    expect(stderr).toMatch(/^driver: mail cannot be sent: .*ECONNREFUSED.*\n$/);
    expect(place().rows("run")).toHaveLength(3);
    expect(place().read("run_driver.log")).toContain("mail could not be sent");
    post = new Post();
    await post.listen();
  });

  it("does not wait for ever for one that does not answer", async () => {
    const silent = createServer();
    const port = await new Promise<number>((resolve) => {
      silent.listen(0, "127.0.0.1", () => resolve(portOf(silent)));
    });
    place().write("tasks", "true\n");
    const lengths: number[] = [];
    silent.on("connection", (socket) => {
      const began = performance.now();
      socket.on("close", () => lengths.push(performance.now() - began)).resume();
    });
    const { code, stderr } = await place().run(
      ["-s", "localhost:1", "-p", "run", "--mailTo", "me@example.org", "tasks"],
      { env: { TASKMUSTER_SMTP: `smtp://127.0.0.1:${port}` } },
    );
    silent.close();
    expect(code).toBe(0);
    expect(stderr).toContain("mail cannot be sent");
    await until("the connection is closed", () => lengths.length > 0);
    // The mailer's own patience is 30 s.
    expect(Math.max(...lengths)).toBeLessThan(25_000);
  });

  it("refuses a mail server that is none before it starts anything", async () => {
    place().write("tasks", "true\n");
    const { code, stderr } = await place().run(["-s", "localhost:1", "--mailTo", "me@example.org", "tasks"], {
      env: { TASKMUSTER_SMTP: "mail:secret@host" },
    });
    expect(code).toBe(2);
    expect(stderr).toContain("TASKMUSTER_SMTP is no mail server");
    expect(stderr).not.toContain("secret");
    expect(place().files()).toEqual(["tasks"]);
  });
});
