import { TaskmusterError, unescaped } from "@taskmuster/kvs";

/** Where mail is handed in. May hold a secret. */
export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the start (`smtps:`). */
  readonly secure: boolean;
  readonly auth: { readonly user: string; readonly pass: string } | null;
}

/** The server that TASKMUSTER_SMTP names, `smtp://HOST:PORT`; without it the one of this host. Throws a usage error. */
export function smtpServerOf(env: Readonly<Record<string, string | undefined>>): SmtpServer {
  const text = env["TASKMUSTER_SMTP"];
  if (text === undefined || text === "") return { host: "localhost", port: 25, secure: false, auth: null };
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "smtp:" && url.protocol !== "smtps:") || url.hostname === "") {
    // Not repeated: it may hold a password.
    throw new TaskmusterError(
      "E_USAGE",
      "TASKMUSTER_SMTP is no mail server; write smtp://HOST:PORT or smtps://HOST:PORT",
    );
  }
  const [user, pass] = [unescaped(url.username), unescaped(url.password)];
  if (user === null || pass === null) {
    throw new TaskmusterError(
      "E_USAGE",
      "TASKMUSTER_SMTP has a user or a password with a % that begins no escape; write %25 for a %",
    );
  }
  const secure = url.protocol === "smtps:";
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: url.port === "" ? (secure ? 465 : 25) : Number(url.port),
    secure,
    auth: user === "" ? null : { user, pass },
  };
}
