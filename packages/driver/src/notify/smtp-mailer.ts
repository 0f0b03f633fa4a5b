import type { Transporter } from "nodemailer";
import type { SmtpServer } from "./smtp-server.js";

export interface Mail {
  readonly subject: string;
  readonly text: string;
}

/** Hands mail to somebody who delivers it. */
export interface Mailer {
  /** Rejects when it was not accepted. One at a time. */
  send(mail: Mail): Promise<void>;
  /** A `send` under way may reject. */
  close(): void;
}

const connectMs = 10_000;
const silenceMs = 20_000;

/** Mail to one address, from that address, as disBatch sends it. */
export class SmtpMailer implements Mailer {
  readonly #server: SmtpServer;
  readonly #to: string;
  #transport: Transporter | null = null;

  constructor(server: SmtpServer, to: string) {
    this.#server = server;
    this.#to = to;
  }

  async send({ subject, text }: Mail): Promise<void> {
    this.#transport ??= await this.#create();
    await this.#transport.sendMail({
      from: this.#to,
      to: this.#to,
      subject,
      text,
      // No answering machine shall answer.
      headers: { "Auto-Submitted": "auto-generated" },
    });
  }

  close(): void {
    this.#transport?.close();
  }

  async #create(): Promise<Transporter> {
    // Few runs send mail: what it takes is read only then.
    const { createTransport } = await import("nodemailer");
    const { host, port, secure, auth } = this.#server;
    return createTransport({
      host,
      port,
      secure,
      ...(auth === null ? {} : { auth }),
      connectionTimeout: connectMs,
      greetingTimeout: connectMs,
      dnsTimeout: connectMs,
      socketTimeout: silenceMs,
      // A mail server on this host has seldom a certificate that anybody has signed.
      tls: { rejectUnauthorized: !isThisHost(host) },
    });
  }
}

function isThisHost(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}
